/** A service that wants no certificate but its own: the hook of another answers 422, and keyturn goes back. */
import { X509Certificate } from "node:crypto";

/**
 * A user of a bundle that refuses what is not for the name.
 *
 * @param {string | undefined} name Undefined for a service that takes them all.
 * @returns {import("keyturn").User}
 */
export function onlyFor(name) {
  return {
    prepare(version) {
      const { cert = "" } = version.tlsMaterial();
      if (name !== undefined && new X509Certificate(cert).checkHost(name) === undefined)
        throw new Error(`the certificate is not for ${name}`);
      return () => {};
    },
  };
}
