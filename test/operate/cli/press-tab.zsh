# Types words into an interactive zsh, presses Tab, and prints the line that comes of it: press-tab.zsh ROOT LINE…
# ROOT is / where zsh is installed, else the folder it was unpacked to. ./_keyturn is the completion.
zsh=$1/bin/zsh
root=$1
shift
[[ $root != / ]] && module_path=($root/usr/lib/*/zsh/*(N/))
zmodload zsh/zpty
cat > init.zsh <<EOF
[[ $root != / ]] && module_path=($module_path) && fpath=($root/usr/share/zsh/functions/**/*(N/))
fpath=($PWD \$fpath)
autoload -Uz compinit
compinit -u -D
unsetopt automenu
dump() { print -r -- "\$BUFFER" > $PWD/line; BUFFER= }
zle -N dump
bindkey '^I' complete-word '^X' dump
EOF
zpty z "$zsh -f -i"
zpty -w z "source $PWD/init.zsh; print REA''DY"
zpty -r -m z seen '*READY*'
for line in "$@"; do
  rm -f line
  zpty -n -w z "$line"$'\t'$'\x18'
  until [[ -s line ]]; do sleep 0.02; done
  cat line
done
zpty -d z
