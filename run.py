"""Set up and run: `python3 run.py demo`, `python3 run.py test`. Needs Python >= 3.11 and nothing else.

Makes a virtual environment in `.venv` beside this file (the system's own Python is never changed), puts uv
into it, lets uv install what the task needs from `pyproject.toml`, and runs the task. A second run installs
nothing unless `pyproject.toml` changed, and needs no network. Standard library only, on purpose: this is
the file that runs before anything is installed. What the tasks do is told by their own tools.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - this file is what an old Python is started with
    sys.exit(
        "yinxin needs Python 3.11 or newer; this is %d.%d (%s).\n"  # noqa: UP031 - also read by Python 2
        "Debian 12, Ubuntu 24.04 and newer: apt-get install python3, then python3 run.py\n"
        "macOS: brew install python@3.13, then python3.13 run.py\n"
        "Windows: winget install Python.Python.3.13, then py -3.13 run.py"
        % (*sys.version_info[:2], sys.executable)
    )

import argparse
import ast
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
SUFFIX = ".exe" if os.name == "nt" else ""
PYTHON = BIN / f"python{SUFFIX}"
STAMP = VENV / "yinxin-installed.json"
UV = "uv>=0.9,<1"

# uv reads no pip.conf. What pip was told about where packages come from is passed on to it.
PIP_TO_UV = {
    "index-url": ("UV_DEFAULT_INDEX", " "),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "no-index": ("UV_NO_INDEX", " "),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "cert": ("SSL_CERT_FILE", " "),
}


# Where Linux keeps the certificates that this machine trusts; Windows and macOS always have them.
SYSTEM_CERTIFICATES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
    "/etc/ssl/ca-bundle.pem",
)


@dataclass(frozen=True)
class Task:
    """One word of the command line: the parts of `pyproject.toml` it needs, and what it runs.

    `parts` are extras, or groups with a leading `:`. `commands` run in turn; the user's own arguments go to
    the last one. `here` runs in the user's folder instead of the repository.
    """

    means: str
    parts: tuple[str, ...]
    commands: tuple[tuple[str, ...], ...]
    here: bool = False
    variables: tuple[tuple[str, str], ...] = ()


EVERYTHING = ("service", "postgres", "s3", "etsi", "pkcs11?", ":test", ":lint", ":docs")
LINT = (("python", "-m", "ruff", "check", "."), ("python", "-m", "ruff", "format", "--check", "."))
TYPES = (("python", "-m", "mypy"),)
LAYERS = (("lint-imports",),)
LONG = ("tests/campaign", "tests/verify_api/test_openapi.py", "tests/journeys/browser")
DOCS = (
    ("python", "docs/generate.py"),
    ("python", "-m", "sphinx", "-E", "-W", "--keep-going", "-q", "-b", "html", "docs", "docs/_build/html"),
)
TESTS = (("python", "-m", "pytest"),)
FIGURES = (
    "signing",
    "pdf_verify",
    "cms",
    "sd_jwt",
    "status_list",
    "mdoc",
    "issuing",
    "printed_code",
    "register",
    "ca",
    "trust",
    "verify_api",
    "against_node",
    "legacy",
)
PLATFORMS = ("x86_64-pc-windows-msvc", "aarch64-apple-darwin", "aarch64-unknown-linux-gnu")
RESOLVE = ("uv", "pip", "compile", "-q", "pyproject.toml", "--extra", "service", "--extra", "postgres")
TASKS = {
    "demo": Task("the whole story in one folder, in seconds", ("service",), (("yinxin", "demo"),), here=True),
    "yinxin": Task("any command of yinxin: run.py yinxin --help", ("service",), (("yinxin",),), here=True),
    "test": Task("the tests (arguments go to pytest)", EVERYTHING[:-1], TESTS),
    "lint": Task("ruff: rules and format", (":lint",), LINT),
    "types": Task("mypy, strict", EVERYTHING, TYPES),
    "layers": Task("import-linter: the arrows of the architecture", EVERYTHING, LAYERS),
    "docs": Task("generate the reference pages, build the documentation", EVERYTHING, DOCS),
    "platforms": Task(
        "runtime dependencies resolve, ready-made, for Windows, macOS and Linux on ARM",
        (":lint",),
        tuple(
            (*RESOLVE, "--only-binary", ":all:", "--python-platform", name, "-o", f".venv/{name}.txt")
            for name in PLATFORMS
        ),
    ),
    "campaign": Task(
        "the long rounds in full (minutes to hours)",
        EVERYTHING,
        (
            ("python", "-m", "pytest", "--timeout=0", "-m", "hypothesis"),
            ("python", "-m", "pytest", "--timeout=0", *LONG),
        ),
        variables=(("YINXIN_CAMPAIGN", "full"),),
    ),
    "figures": Task(
        "the benchmarks: figures beside their floors and peers",
        EVERYTHING[:-1],
        tuple(("python", f"tests/benchmarks/figures_{name}.py") for name in FIGURES),
    ),
    "check": Task(
        "lint, types, layers, docs, tests: all that must pass before a commit",
        EVERYTHING,
        (*LINT, *TYPES, *LAYERS, *DOCS, *TESTS),
    ),
    "setup": Task("install everything and run nothing", EVERYTHING, ()),
}


def main(arguments: list[str]) -> int:
    """Run one task; its exit code is ours."""
    parser = argparse.ArgumentParser(
        prog="run.py",
        description="Sets up .venv and runs one task of yinxin.",
        epilog="\n".join(f"  {name:10}{task.means}" for name, task in TASKS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("task", choices=TASKS, metavar="TASK", help="one of those below")
    parser.add_argument("rest", nargs=argparse.REMAINDER, metavar="…", help="arguments of the task's tool")
    chosen = parser.parse_args(arguments)
    task = TASKS[chosen.task]
    prepare(task.parts)
    for index, command in enumerate(task.commands, start=1):
        rest = chosen.rest if index == len(task.commands) else []
        code = run_tool(task, [*command, *rest])
        if code:
            return code
    return 0


def run_tool(task: Task, command: list[str]) -> int:
    """Run a tool of the virtual environment, and answer its exit code."""
    settings = environment(**dict(task.variables))
    program = [str(BIN / f"{command[0]}{SUFFIX}")]
    if command[0] == "uv":
        program, settings = find_uv(), {**uv_settings(), **settings}
    return subprocess.call([*program, *command[1:]], cwd=None if task.here else ROOT, env=settings)


def prepare(parts: tuple[str, ...]) -> None:
    """Make `.venv` hold these parts. Does nothing, and needs no network, when it does already."""
    stamp = read_stamp()
    missing = [part for part in parts if part not in stamp]
    if not missing:
        return
    make_environment()
    wanted = sorted({*stamp, *parts})
    uv = find_uv()
    settings = {**uv_settings(), **environment()}
    install(uv, [part for part in wanted if not part.endswith("?")], settings)
    for part in wanted:
        if part.endswith("?"):
            install_if_ready_made(uv, part.removesuffix("?"), settings)
    STAMP.write_text(json.dumps({"of": state(), "parts": wanted}), encoding="utf-8")


def install(uv: list[str], parts: list[str], settings: dict[str, str]) -> None:
    """Install the project (editable) with these extras and groups, pinned by `exclude-newer`."""
    extras = ",".join(part for part in parts if not part.startswith(":"))
    groups = [word for part in parts if part.startswith(":") for word in ("--group", part[1:])]
    say(f"installing {', '.join(part.lstrip(':') for part in parts)} (once; a minute or so) …")
    project = f".[{extras}]" if extras else "."
    command = [*uv, "pip", "install", "--python", str(PYTHON), "--editable", project, *groups]
    if subprocess.call(command, cwd=ROOT, env=settings):
        sys.exit(
            "run.py: the packages could not be installed; uv says above why.\n"
            "If your package mirror tells no upload dates, the pin by date (exclude-newer) finds nothing:\n"
            "set UV_NO_CONFIG=1 and try again, or set UV_DEFAULT_INDEX to an index that tells them."
        )


def install_if_ready_made(uv: list[str], extra: str, settings: dict[str, str]) -> None:
    """Install an extra that needs a compiler unless there is a wheel for this machine."""
    command = [*uv, "pip", "install", "--python", str(PYTHON), "-q", "--only-binary", f"python-{extra}"]
    if subprocess.call([*command, "--editable", f".[{extra}]"], cwd=ROOT, env=settings):
        say(f"no ready-made package of {extra} for this machine; its tests will be skipped")


def state() -> str:
    """What an installation depends on: the project file, the place, the Python."""
    text = f"{(ROOT / 'pyproject.toml').read_text(encoding='utf-8')}\0{ROOT}\0{sys.platform}"
    return hashlib.sha256(text.encode()).hexdigest()


def read_stamp() -> list[str]:
    """The parts that `.venv` holds already; none when anything changed since."""
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return stamp["parts"] if stamp["of"] == state() and PYTHON.exists() else []


def make_environment() -> None:
    """Make `.venv`, unless there is one whose Python runs."""
    if works(PYTHON):
        return
    say(f"making {VENV} with Python {'.'.join(map(str, sys.version_info[:3]))} …")
    for way in (with_venv, with_system_pip, with_uv_or_virtualenv, with_debian_pip):
        if way() and works(PYTHON):
            return
    minor = sys.version_info[1]
    sys.exit(
        "run.py: this Python can make no virtual environment. Please type one of these and try again:\n"
        f"  Debian, Ubuntu:  sudo apt-get install python3.{minor}-venv\n"
        "  Fedora, RHEL:    sudo dnf install python3-pip\n"
        "  Arch, Alpine:    install python-pip, or py3-pip\n"
        "  macOS:           brew install python\n"
        "  anywhere:        install uv, then: uv venv .venv"
    )


def with_venv() -> bool:
    """The way that Python documents. Debian has cut `ensurepip` out of its Python."""
    return find_spec("ensurepip") is not None and bare_environment()


def with_system_pip() -> bool:
    """An empty environment; the system's pip (>= 22.3) then installs into it from outside."""
    return (
        find_spec("pip") is not None and bare_environment("--without-pip") and pip_install_uv(sys.executable)
    )


def with_uv_or_virtualenv() -> bool:
    """Two programs that need no help from the system's Python."""
    for command in (["uv", "venv", "--clear", "--python", sys.executable], ["virtualenv", "--clear"]):
        program = shutil.which(command[0])
        if program and quiet([program, *command[1:], str(VENV)]):
            return True
    return False


def with_debian_pip() -> bool:
    """Debian without pip and ensurepip: fetch Debian's own pip and unpack it; the system stays as it is."""
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb") and bare_environment("--without-pip")):
        return False
    say("this Debian has neither python3-venv nor python3-pip; fetching its pip for .venv only …")
    with tempfile.TemporaryDirectory() as folder:
        fetch = ["apt-get", "download", "-qq", "python3-pip-whl"]
        if not quiet(fetch, cwd=folder):
            as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
            quiet([*as_root, "apt-get", "update", "-qq"])
            quiet(fetch, cwd=folder)
        for package in Path(folder).glob("*.deb"):
            quiet(["dpkg-deb", "-x", str(package), folder])
        return any(pip_install_uv(f"{wheel}/pip") for wheel in Path(folder).rglob("pip-*.whl"))


def bare_environment(*options: str) -> bool:
    """`python -m venv`, over whatever was left of an earlier one."""
    return quiet([sys.executable, "-m", "venv", "--clear", *options, str(VENV)])


def pip_install_uv(pip: str) -> bool:
    """Install uv into `.venv` by a pip that lies outside: a Python that has one, or a wheel of pip itself."""
    if pip == sys.executable:
        return quiet([pip, "-m", "pip", "--python", str(PYTHON), "install", UV])
    return quiet([str(PYTHON), pip, "install", UV])


def find_uv() -> list[str]:
    """The command of the environment's own uv; installed by pip, or else the one on the PATH."""
    own = BIN / f"uv{SUFFIX}"
    if not own.exists():
        quiet([str(PYTHON), "-m", "pip", "install", UV]) or pip_install_uv(sys.executable)
    if own.exists():
        return [str(own)]
    elsewhere = shutil.which("uv")
    if not elsewhere:
        sys.exit(f"run.py: uv could not be installed; please type: {PYTHON} -m pip install '{UV}'")
    return [elsewhere]


def uv_settings() -> dict[str, str]:
    """Where pip would take packages from (pip.conf and PIP_*), in uv's variables. Never printed."""
    settings = {"UV_COMPILE_BYTECODE": "1"}
    # Like pip: behind an inspecting proxy only the machine's own store knows the certificate.
    if sys.platform != "linux" or any(Path(place).exists() for place in SYSTEM_CERTIFICATES):
        settings["UV_SYSTEM_CERTS"] = "1"
    for name, value in {**pip_configuration(), **pip_variables()}.items():
        words = [
            word for word in value.split() if name != "find-links" or "://" in word or Path(word).exists()
        ]
        if name in PIP_TO_UV and words:
            variable, separator = PIP_TO_UV[name]
            settings[variable] = separator.join(words)
    if "UV_INDEX" in settings:  # pip takes the best version of all its indexes; so shall uv
        settings["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return settings


def pip_configuration() -> dict[str, str]:
    """What pip.conf says, as the pip at hand reads it; later files win, as in pip."""
    for python in (str(PYTHON), sys.executable):
        command = [python, "-m", "pip", "config", "list"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, encoding="utf-8")
        if done.returncode == 0:
            break
    found = {}
    for line in done.stdout.splitlines():
        name, equals, value = line.partition("=")
        section, _, option = name.rpartition(".")
        if equals and section in {"global", "install"}:
            found[option] = ast.literal_eval(value)
    return found


def pip_variables() -> dict[str, str]:
    """What PIP_INDEX_URL and its like say."""
    return {
        name.removeprefix("PIP_").lower().replace("_", "-"): value
        for name, value in os.environ.items()
        if name.startswith("PIP_")
    }


def environment(**more: str) -> dict[str, str]:
    """The user's variables without those that lead a Python astray; Chinese prints on Windows too."""
    astray = {"PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV", "PIP_USER", "PIP_TARGET", "PIP_REQUIRE_VIRTUALENV"}
    kept = {name: value for name, value in os.environ.items() if name not in astray}
    return {**kept, "PYTHONUTF8": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", **more}


def works(python: Path) -> bool:
    """Whether this interpreter starts and is new enough."""
    test = "import sys; sys.exit(sys.version_info < (3, 11))"
    return python.exists() and quiet([str(python), "-c", test])


def quiet(command: list[str], cwd: str | Path | None = None) -> bool:
    """Run a command without its output; whether it went well."""
    try:
        done = subprocess.run(
            command, cwd=cwd, env=environment(), check=False, capture_output=True, stdin=subprocess.DEVNULL
        )
    except OSError:
        return False
    return done.returncode == 0


def say(message: str) -> None:
    """Tell the user, apart from what the task itself prints."""
    print(f"run.py: {message}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
