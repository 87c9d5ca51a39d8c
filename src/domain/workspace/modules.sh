# Submodules of a commit, and where their mirrors are. Needs: plain_git.sh. Defines: list_modules module_mirror mirror_url.

# mirror_url MIRROR: prints where a mirror was cloned from.
mirror_url() { git config --file "$1/config" --get remote.origin.url 2>/dev/null; }

# list_modules GIT_DIR COMMIT URL: prints a line `commit path url`, its parts behind tabs, for each submodule of the commit
# that has a place to come from. URL is where the repository itself comes from: relative ones are resolved against it.
# A path or url with a tab or a line break in it is left out, and so is a url that could be an option or a command.
list_modules() {
    plain_git --git-dir="$1" config -z --blob "$2:.gitmodules" --get-regexp '^submodule\..*\.(path|url)$' 2>/dev/null |
        tr '\n\000' '\t\n' |
        awk -F '\t' '
            NF == 2 && $1 ~ /\.path$/ { name = substr($1, 11, length($1) - 15); path[name] = $2; order[++count] = name }
            NF == 2 && $1 ~ /\.url$/ { url[substr($1, 11, length($1) - 14)] = $2 }
            END { for (i = 1; i <= count; i++) if (order[i] in url) print path[order[i]] "\t" url[order[i]] }' |
        while IFS='	' read -r m_path m_url; do
            case $m_url in
            -* | *::*) continue ;;
            ./* | ../*) m_url=$(resolved_url "$3" "$m_url") ;;
            esac
            m_entry=$(plain_git --git-dir="$1" --literal-pathspecs ls-tree "$2" -- "$m_path" 2>/dev/null)
            case $m_entry in
            '160000 commit '*) ;;
            *) continue ;;
            esac
            m_entry=${m_entry#160000 commit }
            printf '%s\t%s\t%s\n' "${m_entry%%	*}" "$m_path" "$m_url"
        done
}

# resolved_url BASE RELATIVE: as git resolves the url of a submodule.
resolved_url() {
    m_base=${1%/} m_rest=$2
    while :; do
        case $m_rest in
        ./*) m_rest=${m_rest#./} ;;
        ../*)
            m_rest=${m_rest#../}
            case $m_base in
            */*) m_base=${m_base%/*} ;;
            *:*) m_base=${m_base%:*}: ;;
            esac
            ;;
        *) break ;;
        esac
    done
    case $m_base in
    *:) printf '%s%s' "$m_base" "$m_rest" ;;
    *) printf '%s/%s' "$m_base" "$m_rest" ;;
    esac
}

# module_mirror MIRROR URL: prints where the mirror of a submodule of that repository is.
module_mirror() {
    printf '%s.modules/%s.git' "${1%.git}" "$(printf '%s' "$2" | sha256sum | cut -c 1-24)"
}
