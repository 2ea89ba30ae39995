/** How much work it takes to make a key of a passphrase: what asks for more than there is reason for is refused unbegun. */
import { childrenOf, type Element, expected, identifierOf, integerOf } from "./ber.ts";
import { iterationsOf, PBKDF2 } from "./pbkdf2.ts";
import { PBES1, PBES2, PKCS12_CIPHERS, SCRYPT } from "./scheme.ts";

/** N × r × p of scrypt (RFC 7914 §2); OpenSSL asks for 2^17, and the work of this much takes about two seconds. */
const MAX_SCRYPT_WORK = 1 << 22;

/** Throws an Error where an AlgorithmIdentifier asks for too much work, or is damaged where it says how much. */
export function checkWork(algorithm: Element | undefined): void {
  const [identifier, parameters] = childrenOf(expected(algorithm));
  const id = identifierOf(identifier);
  if (id === PBES2) checkDerivation(childrenOf(expected(parameters))[0]);
  else if (PBES1.test(id) || PKCS12_CIPHERS.has(id)) iterationsOf(childrenOf(expected(parameters))[1]);
}

function checkDerivation(derivation: Element | undefined): void {
  const [identifier, parameters] = childrenOf(expected(derivation));
  const id = identifierOf(identifier);
  if (id === PBKDF2) iterationsOf(childrenOf(expected(parameters))[1]);
  if (id !== SCRYPT) return;
  const [, cost, blockSize, parallelization] = childrenOf(expected(parameters));
  const work = [cost, blockSize, parallelization]
    .map(integerOf)
    .reduce((product, factor) => product * factor);
  if (work <= MAX_SCRYPT_WORK) return;
  throw new Error(`it asks for scrypt of N × r × p = ${work} to make a key; the most is ${MAX_SCRYPT_WORK}`);
}
