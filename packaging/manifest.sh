# The list of what an installation put where, by which it knows its own files again; read by
# `install` and `uninstall`. A line a thing: KIND WHAT PATH, with KIND file (WHAT: its SHA-256), link
# (its target), folder (-) or other (-); PATH is relative to the prefix and has no space.
manifest_path=share/xinghe/manifest

# Lists are sorted and compared by bytes, whatever the language of the session.
export LC_ALL=C

# describe ROOT: a line for each of the paths on standard input that is there.
describe() {
    local root=$1 path files=()
    while IFS= read -r path; do
        if [ -L "$root/$path" ]; then
            printf 'link %s %s\n' "$(readlink "$root/$path")" "$path"
        elif [ -f "$root/$path" ]; then
            files+=("$path")
        elif [ -e "$root/$path" ]; then
            printf 'other - %s\n' "$path"
        fi
    done
    [ ${#files[@]} -eq 0 ] || (cd "$root" && sha256sum -- "${files[@]}") \
        | sed -E 's/^([0-9a-f]+)  /file \1 /'
}

# paths: the last word of each line of standard input.
paths() { sed -E 's/.* //'; }

# owned MANIFEST: what a manifest lists, folders apart; nothing where there is none.
owned() { if [ -f "$1" ]; then grep -v '^folder ' "$1" || true; fi; }
