# What tools leave behind unasked, which is no work of the agent. Part of the supervisor.
# Needs: c, lines, zeros, left of changes.sh. Defines: litter_patterns litter_folders litter_programs note_litter.

# litter_patterns: patterns of an ignore file. They count for files that are not tracked only.
litter_patterns() {
    cat <<'END'
__pycache__/
*.py[co]
.venv/
.tox/
.nox/
.eggs/
*.egg-info/
.pytest_cache/
.mypy_cache/
.ruff_cache/
.hypothesis/
.ipynb_checkpoints/
.coverage
.coverage.*
htmlcov/
/build/bdist.*/
/build/lib/
/build/lib.*/
/build/temp.*/
node_modules/
.npm/
.pnpm-store/
.yarn/cache/
.next/
.nuxt/
.turbo/
.parcel-cache/
.nyc_output/
.eslintcache
*.tsbuildinfo
.gradle/
.dart_tool/
.stack-work/
dist-newstyle/
.terraform/
.cache/
.ccache/
*.o
*.obj
*.lo
*.la
*.a
*.so
*.so.[0-9]*
*.dylib
*.pyd
*.gch
*.class
*.rlib
*.rmeta
*.gcda
*.gcno
*.dSYM/
CMakeFiles/
CMakeCache.txt
cmake_install.cmake
cmake-build-*/
core.[0-9]*
vgcore.*
.DS_Store
Thumbs.db
*.swp
*.swo
*~
.nfs*
.aider.chat.history.md
.aider.input.history
.aider.tags.cache.v*/
END
}

# litter_folders: of the untracked files it reads, the folders that say of themselves that they can be made again: virtual
# environments by their pyvenv.cfg, build folders of cargo and CMake, whatever has a CACHEDIR.TAG. Each as `FOLDER/`.
litter_folders() {
    zeros >"$c_git/untracked.z"
    lines <"$c_git/untracked.z" | sed -n -e 's,^\(.*/\)pyvenv\.cfg$,\1,p' -e 's,^\(.*/\)\.rustc_info\.json$,\1,p' \
        -e 's,^\(.*/\)CMakeCache\.txt$,\1,p' -e '/^.*\/CACHEDIR\.TAG$/p' | while IFS= read -r i_path; do
        case $i_path in
        */CACHEDIR.TAG)
            [ -f "$i_path" ] || continue
            [ "$(head -c 43 "$i_path" 2>/dev/null)" = 'Signature: 8a477f597d28d172789f06886806bc55' ] || continue
            i_path=${i_path%CACHEDIR.TAG}
            ;;
        esac
        printf '%s\n' "$i_path"
    done | sort -u | tee "$c_git/litter.folders"
}

# litter_programs: of the untracked files it reads, programs and memory images that a compiler, a linker or a crash made.
litter_programs() {
    grep -v '/$' | while IFS= read -r i_path; do
        if [ -L "$i_path" ] || [ ! -f "$i_path" ]; then continue; fi
        case $i_path in
        core | */core) ;;
        *) [ -x "$i_path" ] || continue ;;
        esac
        printf '%s\n' "$i_path"
    done | head -n 500 | while IFS= read -r i_path; do
        case $(head -c 4 "$i_path" 2>/dev/null | od -An -tx1 | tr -d ' \n') in
        7f454c46 | cffaedfe | cefaedfe | cafebabe) printf '%s\n' "$i_path" ;;
        esac
    done
}

# note_litter: counts what was found to be litter, and names it by the folders that hold it.
note_litter() {
    [ -s "$c_git/litter" ] || return 0
    litter_patterns | sed -n 's|^/\{0,1\}\([^*/]*\)/$|\1|p' >"$c_git/litter.names"
    awk -v folders="$c_git/litter.folders" -v names="$c_git/litter.names" '
        BEGIN {
            while ((getline line <folders) > 0) made[line] = 1
            while ((getline line <names) > 0) known[line] = 1
        }
        {
            count = split($0, part, "/"); path = ""; found = $0
            for (i = 1; i < count; i++) {
                path = path part[i] "/"
                if (path in made || part[i] in known || part[i] ~ /\.(egg-info|dSYM)$/) { found = path; break }
            }
            if (!(found in seen)) { seen[found] = 1; print "-\t" found }
        }' "$c_git/litter" >"$c_git/left.litter"
    i_bytes=$(head -n 100000 "$c_git/litter" | sed 's,^,./,' | zeros | xargs -0 stat -c %s 2>/dev/null | awk '{ sum += $1 } END { printf "%.0f", sum }')
    printf '%s %s' "$(wc -l <"$c_git/litter" | tr -d ' ')" "${i_bytes:-0}" >"$c_git/litter.sums"
}
