//! Names that a check relies on to mean the real thing: modules of Python and of its test runners, C headers, programs.

/// The standard library of Python 3.8 to 3.13 (`sys.stdlib_module_names`, without private modules).
#[rustfmt::skip]
const PYTHON: &[&str] = &[
    "__future__", "abc", "aifc", "antigravity", "argparse", "array", "ast", "asynchat", "asyncio", "asyncore",
    "atexit", "audioop", "base64", "bdb", "binascii", "binhex", "bisect", "builtins", "bz2", "cProfile", "calendar",
    "cgi", "cgitb", "chunk", "cmath", "cmd", "code", "codecs", "codeop", "collections", "colorsys", "compileall",
    "concurrent", "configparser", "contextlib", "contextvars", "copy", "copyreg", "crypt", "csv", "ctypes", "curses",
    "dataclasses", "datetime", "dbm", "decimal", "difflib", "dis", "distutils", "doctest", "dummy_threading", "email",
    "encodings", "ensurepip", "enum", "errno", "faulthandler", "fcntl", "filecmp", "fileinput", "fnmatch",
    "formatter", "fractions", "ftplib", "functools", "gc", "genericpath", "getopt", "getpass", "gettext", "glob",
    "graphlib", "grp", "gzip", "hashlib", "heapq", "hmac", "html", "http", "idlelib", "imaplib", "imghdr", "imp",
    "importlib", "inspect", "io", "ipaddress", "itertools", "json", "keyword", "lib2to3", "linecache", "locale",
    "logging", "lzma", "macpath", "mailbox", "mailcap", "marshal", "math", "mimetypes", "mmap", "modulefinder",
    "msilib", "msvcrt", "multiprocessing", "netrc", "nis", "nntplib", "nt", "ntpath", "nturl2path", "numbers",
    "opcode", "operator", "optparse", "os", "ossaudiodev", "parser", "pathlib", "pdb", "pickle", "pickletools",
    "pipes", "pkgutil", "platform", "plistlib", "poplib", "posix", "posixpath", "pprint", "profile", "pstats", "pty",
    "pwd", "py_compile", "pyclbr", "pydoc", "pydoc_data", "pyexpat", "queue", "quopri", "random", "re", "readline",
    "reprlib", "resource", "rlcompleter", "runpy", "sched", "secrets", "select", "selectors", "shelve", "shlex",
    "shutil", "signal", "site", "smtpd", "smtplib", "sndhdr", "socket", "socketserver", "spwd", "sqlite3",
    "sre_compile", "sre_constants", "sre_parse", "ssl", "stat", "statistics", "string", "stringprep", "struct",
    "subprocess", "sunau", "symbol", "symtable", "sys", "sysconfig", "syslog", "tabnanny", "tarfile", "telnetlib",
    "tempfile", "termios", "textwrap", "this", "threading", "time", "timeit", "tkinter", "token", "tokenize",
    "tomllib", "trace", "traceback", "tracemalloc", "tty", "turtle", "turtledemo", "types", "typing", "unicodedata",
    "unittest", "urllib", "uu", "uuid", "venv", "warnings", "wave", "weakref", "webbrowser", "winreg", "winsound",
    "wsgiref", "xdrlib", "xml", "xmlrpc", "zipapp", "zipfile", "zipimport", "zlib", "zoneinfo",
];

/// Modules that run tests in Python, and what they are made of.
#[rustfmt::skip]
const PYTHON_RUNNERS: &[&str] = &[
    "_pytest", "pytest", "py", "pluggy", "iniconfig", "packaging", "exceptiongroup", "tomli", "xdist", "execnet",
    "pytest_cov", "pytest_timeout", "pytest_asyncio", "pytest_mock", "hypothesis", "coverage", "mock", "nose",
    "nose2", "tox", "nox", "trial", "twisted", "testtools", "ward", "behave", "setuptools", "pkg_resources", "wheel",
    "pip", "virtualenv", "numpy",
];

/// Headers of C (C23 and POSIX) and of its test frameworks.
#[rustfmt::skip]
const C_HEADERS: &[&str] = &[
    "assert", "complex", "ctype", "errno", "fenv", "float", "inttypes", "iso646", "limits", "locale", "math",
    "setjmp", "signal", "stdalign", "stdarg", "stdatomic", "stdbit", "stdbool", "stdckdint", "stddef", "stdint",
    "stdio", "stdlib", "stdnoreturn", "string", "strings", "tgmath", "threads", "time", "uchar", "wchar", "wctype",
    "unistd", "fcntl", "pthread", "dlfcn", "poll", "regex", "check", "cmocka", "cunit", "unity", "criterion", "gtest",
];

/// Programs that checks call: interpreters, compilers, build tools, runners and what scripts compare with.
#[rustfmt::skip]
const PROGRAMS: &[&str] = &[
    "python", "python3", "python2", "node", "nodejs", "npm", "npx", "yarn", "pnpm", "bun", "deno", "ruby", "perl",
    "php", "java", "javac", "go", "cargo", "rustc", "cc", "gcc", "g++", "clang", "clang++", "c++", "tcc", "ld", "as",
    "ar", "make", "gmake", "cmake", "ctest", "ninja", "meson", "pytest", "py.test", "tox", "nox", "uv", "pip", "jest",
    "vitest", "mocha", "bats", "prove", "sh", "bash", "dash", "zsh", "env", "test", "grep", "sed", "awk", "diff",
    "cmp", "cat", "head", "tail", "sort", "tr", "expr", "printf", "echo", "true", "false", "timeout",
];

/// Returns whether a name is that of a module of Python's library or of a test runner.
pub(super) fn is_python(name: &str) -> bool {
    PYTHON.binary_search(&name).is_ok() || PYTHON_RUNNERS.contains(&name)
}

/// Returns whether a name, without its ending, is that of a header of the system.
pub(super) fn is_c_header(stem: &str) -> bool {
    C_HEADERS.contains(&stem)
}

/// Returns whether a name is that of a program that checks call.
pub(super) fn is_program(name: &str) -> bool {
    PROGRAMS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::PYTHON;

    #[test]
    fn the_modules_are_in_order() {
        assert!(PYTHON.is_sorted());
        assert!(PYTHON.binary_search(&"json").is_ok());
    }
}
