"""What environments of workspaces are made from, and copies of it that are checked as they are made.

Runs on hosts, by the interpreter that the environments are for, without its site packages (`python -I -S -c`).

A store is a folder that is named by the digest of its `manifest`, which lists every file below it with its digest: who
knows the name can tell whether anything in it was changed. Two kinds of store are used together:

  envs/<profile>-<digest>/           lock.txt, and template/: an environment with all that the lock names
  envs/<profile>-<digest>/<digest>/  project.json, and files/: what the install of the repository itself adds to it

Only what a manifest lists is ever copied, and its digest is taken of the very bytes that are written. An editable
install of the repository differs between two of its trees in nothing but the path of the tree, so it is captured once
and written with another path for each of them, unless something that a build reads has changed.
"""
import concurrent.futures
import hashlib
import json
import os
import re
import shutil
import sys
import urllib.parse

MANIFEST = "manifest"
TREE = b"\0tree\0"
# What a build reads beside the files at the top of a project: where versions are written, as a rule.
VERSIONED = {"__init__.py", "__about__.py", "__version__.py", "_version.py", "version.py", "VERSION", "version.txt"}
# What uv notes about its own cache says nothing of the project.
NOTES = {"uv_cache.json", "uv_build.json"}
SKIPPED = {".git", ".hg", "node_modules", "__pycache__"}


class Fault(Exception):
    """A store that is not as its name says, or a file that is not as its list says."""


def digest_of(path):
    found = hashlib.sha256()
    with open(path, "rb") as file:
        for part in iter(lambda: file.read(1 << 20), b""):
            found.update(part)
    return found.hexdigest()


def files_below(top, skipped=()):
    """Yields all files and links below a folder, by their relative paths."""
    for folder, names, files in os.walk(top):
        linked = [name for name in names if os.path.islink(os.path.join(folder, name))]
        names[:] = sorted(name for name in names if name not in linked and name not in skipped)
        for name in sorted(files + linked):
            yield os.path.relpath(os.path.join(folder, name), top)


def seal(store):
    """Writes the manifest of a store and returns its digest."""
    lines = []
    for path in files_below(store):
        place = os.path.join(store, path)
        if path == MANIFEST or is_inner(path):
            continue
        if os.path.islink(place):
            lines.append(json.dumps(["link", os.readlink(place), 0, path], ensure_ascii=False))
        else:
            found = os.stat(place)
            kind = "program" if found.st_mode & 0o100 else "file"
            lines.append(json.dumps([kind, digest_of(place), found.st_size, path], ensure_ascii=False))
    text = "".join(line + "\n" for line in lines).encode("utf-8", "surrogateescape")
    with open(os.path.join(store, MANIFEST), "wb") as file:
        file.write(text)
    return hashlib.sha256(text).hexdigest()


def is_inner(path):
    """Whether a path below a store belongs to a store inside it."""
    return re.match(r"[0-9a-f]{32}/", path) is not None


def manifest(store):
    """Reads the manifest of a store, which must be the one that the store is named after."""
    wanted = os.path.basename(store).rsplit("-", 1)[-1]
    try:
        with open(os.path.join(store, MANIFEST), "rb") as file:
            text = file.read()
    except OSError:
        raise Fault("there is no complete environment at " + store)
    if len(wanted) < 32 or not hashlib.sha256(text).hexdigest().startswith(wanted):
        raise Fault("changed: " + os.path.join(store, MANIFEST))
    return [json.loads(line) for line in text.decode("utf-8", "surrogateescape").split("\n") if line]


def copied(entry, source, destination):
    """Copies one file of a manifest; returns what is wrong with it, or nothing."""
    kind, wanted, _, path = entry
    place, target = os.path.join(source, path), destination and os.path.join(destination, path)
    try:
        if kind == "link":
            if os.readlink(place) != wanted:
                return "changed: " + path
            if target:
                os.symlink(wanted, target)
            return None
        found = hashlib.sha256()
        handle = os.open(place, os.O_RDONLY | os.O_NOFOLLOW)
        with open(handle, "rb", buffering=0) as file:
            out = None
            if target:
                mode = 0o700 if kind == "program" else 0o600
                out = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            try:
                while True:
                    part = file.read(1 << 20)
                    if not part:
                        break
                    found.update(part)
                    while out is not None and part:
                        part = part[os.write(out, part):]
            finally:
                if out is not None:
                    os.close(out)
        return None if found.hexdigest() == wanted else "changed: " + path
    except FileNotFoundError:
        return "missing: " + path
    except OSError as error:
        if target and error.filename == target or error.filename is None:
            raise
        return "changed: " + path


def each(entries, source, destination=None):
    """Copies, or only compares where there is no destination, and returns all that is wrong."""
    if destination:
        for folder in sorted({os.path.dirname(entry[3]) for entry in entries}):
            os.makedirs(os.path.join(destination, folder), mode=0o700, exist_ok=True)
    # Threads pay where files are large: digests and copies of small ones cost more in waiting for each other.
    if sum(entry[2] for entry in entries) < 64 << 20:
        faults = [copied(entry, source, destination) for entry in entries]
    else:
        with concurrent.futures.ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
            faults = list(pool.map(lambda entry: copied(entry, source, destination), entries))
    return [fault for fault in faults if fault]


def inside(entries, folder):
    """Returns the entries below a folder, with paths that start there."""
    folder += "/"
    return [[kind, wanted, size, path[len(folder):]] for kind, wanted, size, path in entries if path.startswith(folder)]


def refuse(faults):
    if faults:
        raise Fault("; ".join(faults[:5]) + ("; and %d more" % (len(faults) - 5) if len(faults) > 5 else ""))


def check(store):
    """Compares both stores with their manifests, and raises a fault that names what differs."""
    refuse(differences(os.path.dirname(store)) + differences(store))


def check_one(store):
    """The same for one store."""
    refuse(differences(store))


def differences(store):
    entries = manifest(store)
    listed = {entry[3] for entry in entries} | {MANIFEST}
    found = [path for path in files_below(store) if path not in listed and not is_inner(path)]
    return each(entries, store) + ["not listed: " + path for path in found]


def make(store, tree, environment):
    """Copies an environment for a tree. Prints `build` where the project still has to be built in it."""
    outer = os.path.dirname(store)
    entries = manifest(outer)
    faults = each(inside(entries, "template"), os.path.join(outer, "template"), environment)
    project_entries = manifest(store)
    faults += each([entry for entry in project_entries if entry[3] == "project.json"], store)
    refuse(faults)
    with open(os.path.join(store, "project.json")) as file:
        project = json.load(file)
    if project["mode"] == "none":
        return
    tree = os.path.realpath(tree)
    if project["key"] is None or project["key"] != key(tree, project["roots"]) or not is_plain(tree):
        print("\n".join(["build", project["mode"], project["isolation"]] + project["roots"]))
        return
    files = inside(project_entries, "files")
    refuse(each(files, os.path.join(store, "files"), environment))
    for _, _, _, path in files:
        place = os.path.join(environment, path)
        with open(place, "rb") as file:
            text = file.read()
        if TREE in text:
            with open(place, "wb") as file:
                file.write(text.replace(TREE, tree.encode()))


def is_plain(path):
    """Whether a path is written the same in a URL, in Python and in a file of paths."""
    return re.match(r"[A-Za-z0-9/._+-]+\Z", path) is not None


def key(tree, roots):
    """Returns the digest of all that a build of the projects of a tree reads, as far as that can be told."""
    found = hashlib.sha256()
    for root in roots:
        top = os.path.normpath(os.path.join(tree, root))
        for folder, names, files in os.walk(top):
            depth = 0 if folder == top else os.path.relpath(folder, top).count(os.sep) + 1
            names[:] = sorted(name for name in names if name not in SKIPPED and not name.endswith(".egg-info"))
            if depth == 0:
                found.update(json.dumps(names).encode())
            if depth >= 3:
                names[:] = []
            for name in sorted(files):
                if depth > 0 and name not in VERSIONED:
                    continue
                place = os.path.join(folder, name)
                content = os.readlink(place) if os.path.islink(place) else digest_of(place)
                found.update(json.dumps([os.path.relpath(place, top), content]).encode())
    return found.hexdigest()


def describe(store, mode, isolation, roots):
    """Writes down how the projects of a tree are installed; nothing is captured yet."""
    with open(os.path.join(store, "project.json"), "w") as file:
        json.dump({"mode": mode, "isolation": isolation, "roots": roots, "key": None}, file, sort_keys=True)


def locals_of(seed, lock):
    """Takes what lies in the tree itself out of a lock, where it has no digest, and prints where it lies."""
    kept, is_local = [], False
    top = "file://" + os.path.realpath(seed)
    with open(lock) as file:
        lines = file.read().splitlines()
    for line in lines:
        if not line.startswith((" ", "\t")):
            place = line.split(" ; ")[0].replace("-e ", "").split(" @ ")[-1].rstrip("\\ ").strip()
            place = place.split("#")[0]
            if place.startswith("./") or place == ".":
                place = top + place[1:]
            path = urllib.parse.unquote(place[len("file://"):]) if place.startswith("file://") else ""
            is_local = place == top or place.startswith(top + "/") and os.path.isdir(path)
            if is_local:
                print(os.path.relpath(path, os.path.realpath(seed)))
        if not is_local:
            kept.append(line)
    with open(lock, "w") as file:
        file.write("".join(line + "\n" for line in kept))


def capture(outer, seed, environment, before, store):
    """Keeps what installing the projects of a seed added to an environment, for other trees to be given."""
    seed = os.path.realpath(seed)
    with open(before) as file:
        was = set(json.load(file))
    with open(os.path.join(store, "project.json")) as file:
        project = json.load(file)
    mode, roots = project["mode"], project["roots"]
    entries = manifest(outer)
    listed = {entry[3] for entry in inside(entries, "template")}
    new = [
        path
        for path in files_below(environment, {"__pycache__"})
        if path not in listed and not path.startswith(".") and os.path.basename(path) not in NOTES
    ]
    # Whatever a build left in the tree itself, a compiled module for example, each tree needs of its own.
    is_pure = not [path for path in files_below(seed, SKIPPED) if path not in was and ".egg-info" not in path]
    if mode == "editable" and is_pure and is_plain(seed):
        project["key"] = key(seed, roots)
        changed = set()
        for path in new:
            place, target = os.path.join(environment, path), os.path.join(store, "files", path)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(place, "rb") as file:
                text = file.read()
            if environment.encode() in text:
                project["key"] = None
            if seed.encode() in text:
                changed.add(os.path.basename(os.path.dirname(path)) + "/" + os.path.basename(path))
                changed.add(os.path.basename(path))
                text = text.replace(seed.encode(), TREE)
            with open(target, "wb") as file:
                file.write(text)
            shutil.copymode(place, target)
        for path in new:
            if os.path.basename(path) == "RECORD":
                rewrite_record(os.path.join(store, "files", path), changed)
    with open(os.path.join(store, "project.json"), "w") as file:
        json.dump(project, file, sort_keys=True)


def rewrite_record(record, changed):
    """Takes the digests of files that differ from tree to tree out of a list of installed files."""
    with open(record) as file:
        lines = file.read().splitlines()
    with open(record, "w") as file:
        for line in lines:
            path = line.split(",")[0]
            if os.path.basename(path) in NOTES:
                continue
            file.write((path + ",," if path in changed else line) + "\n")


def list_tree(tree, target):
    """Writes down which files a tree has."""
    with open(target, "w") as file:
        json.dump(list(files_below(tree, SKIPPED)), file)


def hold(tree, roots, saved):
    """Saves the egg-info folders of the projects of a tree, which a build rewrites."""
    with open(saved, "w") as file:
        json.dump([(folder, contents(folder)) for folder in egg_infos(tree, roots)], file)


def contents(folder):
    found = {}
    for path in files_below(folder):
        with open(os.path.join(folder, path), "rb") as file:
            found[path] = file.read().hex()
    return found


def release(tree, roots, saved):
    """Puts those folders back as they were, and removes those that came since."""
    with open(saved) as file:
        before = dict(json.load(file))
    for folder in egg_infos(tree, roots):
        if folder not in before:
            shutil.rmtree(folder)
            continue
        for path in files_below(folder):
            if path not in before[folder]:
                os.unlink(os.path.join(folder, path))
        for path, text in before[folder].items():
            place = os.path.join(folder, path)
            text = bytes.fromhex(text)
            try:
                with open(place, "rb") as file:
                    is_same = file.read() == text
            except OSError:
                is_same = False
            if not is_same:
                with open(place, "wb") as file:
                    file.write(text)


def egg_infos(tree, roots):
    found = []
    for root in roots:
        top = os.path.normpath(os.path.join(os.path.realpath(tree), root))
        for folder, names, _ in os.walk(top):
            found += [os.path.join(folder, name) for name in names if name.endswith(".egg-info")]
            is_deep = folder != top and os.path.relpath(folder, top).count(os.sep) >= 2
            names[:] = [] if is_deep else [name for name in names if name not in SKIPPED and not name.endswith(".egg-info")]
    return sorted(set(found))


def records(environment):
    """Compares what is installed with the lists that the packages brought along, and raises a fault that names what differs."""
    import base64
    import csv

    faults, listed = [], set()
    sites = [folder for folder, names, _ in os.walk(environment) if os.path.basename(folder) == "site-packages"]
    for site in sites:
        for name in sorted(os.listdir(site)):
            record = os.path.join(site, name, "RECORD")
            if not name.endswith(".dist-info") or not os.path.isfile(record):
                continue
            with open(record, newline="") as file:
                for row in csv.reader(file):
                    place = os.path.normpath(os.path.join(site, row[0]))
                    listed.add(place)
                    if len(row) < 2 or not row[1].startswith("sha256="):
                        continue
                    try:
                        found = base64.urlsafe_b64encode(bytes.fromhex(digest_of(place))).decode().rstrip("=")
                    except OSError:
                        faults.append("missing: " + row[0])
                        continue
                    if found != row[1][len("sha256="):]:
                        faults.append("changed: " + row[0])
        for path in files_below(site, {"__pycache__"}):
            if os.path.join(site, path) not in listed and path not in ("_virtualenv.py", "_virtualenv.pth"):
                faults.append("not listed: " + path)
    refuse(faults)


def packages(environment):
    """Prints the packages that are installed in an environment."""
    for folder, names, _ in os.walk(environment):
        if os.path.basename(folder) == "site-packages":
            for name in sorted(names):
                if name.endswith(".dist-info"):
                    print("%s==%s" % tuple(name[: -len(".dist-info")].rsplit("-", 1)))
            names[:] = []


def requires(tree):
    """Prints what a project declares that building it needs."""
    backend = build_system(tree)
    for requirement in backend["requires"]:
        print(requirement)


# Backends that never ask for more than is declared; the first may where a program of the project says so.
CONTENT = {"setuptools.build_meta", "flit_core.buildapi", "poetry.core.masonry.api"}


def may_ask(tree):
    """Ends well where the backend of a project may ask for more than the project declares."""
    backend = build_system(tree)
    has_program = any(os.path.exists(os.path.join(tree, name)) for name in ("setup.py", "setup.cfg"))
    if backend.get("build-backend") in CONTENT and not has_program and "backend-path" not in backend:
        raise Fault("nothing")


def asks(tree):
    """Prints what the backend of a project asks for beside what the project declares; runs in an environment that has the declared."""
    import importlib

    backend = build_system(tree)
    os.chdir(tree)
    sys.path[:0] = [os.path.join(tree, path) for path in backend.get("backend-path", [])]
    module, _, attribute = backend.get("build-backend", "setuptools.build_meta:__legacy__").partition(":")
    hook = importlib.import_module(module)
    for name in filter(None, attribute.split(".")):
        hook = getattr(hook, name)
    # Backends print what they do.
    output, sys.stdout = sys.stdout, sys.stderr
    ask = getattr(hook, "get_requires_for_build_editable", None) or getattr(hook, "get_requires_for_build_wheel", None)
    found = ask({}) if ask else []
    sys.stdout = output
    for requirement in found:
        print(requirement)


def build_system(tree):
    default = {"requires": ["setuptools", "wheel"]}
    try:
        import tomllib as toml
    except ImportError:
        try:
            import tomli as toml
        except ImportError:
            return default
    try:
        with open(os.path.join(tree, "pyproject.toml"), "rb") as file:
            return toml.load(file).get("build-system") or default
    except FileNotFoundError:
        return default


def main():
    action, arguments = sys.argv[1], sys.argv[2:]
    try:
        if action == "seal":
            print(seal(arguments[0]))
        elif action == "capture":
            capture(*arguments)
        elif action in ("hold", "release"):
            {"hold": hold, "release": release}[action](arguments[0], arguments[2:], arguments[1])
        elif action == "describe":
            describe(arguments[0], arguments[1], arguments[2], arguments[3:])
        else:
            actions = (check, check_one, make, list_tree, locals_of, records, packages, requires, may_ask, asks)
            {function.__name__: function for function in actions}[action](*arguments)
    except Fault as fault:
        print(fault)
        return 3
    return 0


sys.exit(main())
