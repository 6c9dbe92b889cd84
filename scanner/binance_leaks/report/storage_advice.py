"""Where a credential belongs, by the kind of file that it was found in, and how to take it out of there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias

from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.model import CellPart, Location, Role, container_of
from binance_leaks.report.remedies import Step

_MAX_STEPS = 3
_PLAIN = lazy_pattern(r"(?!-)[A-Za-z0-9._/@+-]{1,80}")
_RUN = lazy_pattern(r"[A-Za-z0-9]{40}")
_VARIABLES: Mapping[Role, tuple[str, str, str]] = MappingProxyType(
    {
        Role.API_KEY: ("BINANCE_API_KEY", "api_key", "apiKey"),
        Role.SECRET_KEY: ("BINANCE_API_SECRET", "api_secret", "apiSecret"),
        Role.PRIVATE_KEY: ("BINANCE_PRIVATE_KEY", "private_key", "privateKey"),
    }
)
"""The variable of the environment, and its name in code with underscores and with capitals."""

_READERS: Mapping[str, str] = MappingProxyType(
    {
        "py": '{snake} = os.environ["{name}"]',
        "js ts jsx tsx mjs cjs mts cts": "const {camel} = process.env.{name};",
        "go": '{camel} := os.Getenv("{name}")',
        "java": 'String {camel} = System.getenv("{name}");',
        "kt kts groovy": 'val {camel} = System.getenv("{name}")',
        "scala": 'val {camel} = sys.env("{name}")',
        "cs": 'var {camel} = Environment.GetEnvironmentVariable("{name}");',
        "rs": 'let {snake} = std::env::var("{name}")?;',
        "c cc cpp cxx h hpp": 'const char *{snake} = getenv("{name}");',
        "rb": '{snake} = ENV.fetch("{name}")',
        "php": "${camel} = getenv('{name}');",
        "sh bash zsh": ': "${{{name}:?}}"',
        "ps1": "${camel} = $env:{name}",
        "swift": 'let {camel} = ProcessInfo.processInfo.environment["{name}"]',
        "dart": "final {camel} = Platform.environment['{name}'];",
        "ex exs": '{snake} = System.fetch_env!("{name}")',
        "r": '{snake} <- Sys.getenv("{name}")',
        "jl": '{snake} = ENV["{name}"]',
        "lua": 'local {snake} = os.getenv("{name}")',
        "pl pm": "my ${snake} = $ENV{{{name}}};",
    }
)
_Describe: TypeAlias = Callable[[Sequence[str]], tuple[str, tuple[str, ...]]]
_LINES = MappingProxyType({ending: line for endings, line in _READERS.items() for ending in endings.split()})

_CI_FILES = ("bitbucket-pipelines.", "azure-pipelines", "jenkinsfile", ".travis.", ".drone.")
_CI_FOLDERS = frozenset({".circleci", ".buildkite"})
_WORKFLOWS = frozenset({".github", ".gitea", ".forgejo"})
_CLUSTER_FOLDERS = frozenset({"k8s", "kubernetes", "helm", "chart", "charts", "manifests", "kustomize"})
_CLUSTER_FILES = ("values", "deployment", "secret")
_YAML = (".yml", ".yaml")
_PRIVATE_NAMES = frozenset({".envrc", ".netrc", ".pypirc", ".npmrc", "id_rsa", "id_ed25519"})
_PRIVATE_ENDINGS = (".env", ".pem", ".key", ".p12", ".pfx")
_TEMPLATES = frozenset({"example", "sample", "template", "dist"})


def storage_steps(locations: Sequence[Location], *, staged: bool) -> list[Step]:
    """Return how to take values out of these files, a step for each kind of file; none where the kind says nothing.

    `staged` means that they are about to be committed, and can still be kept out of the history.
    """
    made: list[Step] = []
    by_path: dict[str, list[Location]] = {}
    for location in locations:
        by_path.setdefault(container_of(location.path), []).append(location)
    for path, places in by_path.items():
        step = _step(path, places, staged=staged)
        if step is not None and step not in made:
            made.append(step)
    return made if len(made) <= _MAX_STEPS else []


def _step(path: str, places: Sequence[Location], *, staged: bool) -> Step | None:
    roles = {place.role for place in places}
    *folders, name = path.lower().split("/")
    if _is_untracked(name):
        return _keep_untracked(_shown(path), staged=staged)
    add = f", then run git add {_shown(path)}" if staged else ""
    describe = _service(folders, name)
    if describe is not None:
        text, lines = describe(_names(roles))
        return Step(text=f"{text}{add}:" if lines else f"{text}{add}.", verbatim=lines)
    if name.endswith(".ipynb"):
        return Step(
            text=f"{_clean_notebook(places)}:",
            verbatim=(
                f"jupyter nbconvert --clear-output --inplace {_shown(path)}",
                *((f"git add {_shown(path)}",) if staged else ()),
            ),
        )
    stem, _, ending = name.rpartition(".")
    reader = _LINES.get(ending) if stem else None
    if reader is None:
        return None
    lines = tuple(
        reader.format(name=variable, snake=snake, camel=camel)
        for role, (variable, snake, camel) in _VARIABLES.items()
        if role in roles
    )
    return Step(text=f"Read it from the environment{add}:", verbatim=lines)


def _clean_notebook(places: Sequence[Location]) -> str:
    """Return what to do in a notebook, with the cells where they are known."""
    sources = _name_cells(places, CellPart.SOURCE) or "the cell"
    outputs = _name_cells(places, CellPart.OUTPUT)
    if outputs and all(place.cell is not None and place.cell.part is CellPart.OUTPUT for place in places):
        return f"Clear the outputs, as that of {outputs} shows it"
    shown = f", as that of {outputs} shows it" if outputs else ", which may show it"
    return f"Read it from the environment in {sources}, and clear the outputs{shown}"


def _name_cells(places: Sequence[Location], part: CellPart) -> str:
    """Return `cell 4`, `cell 4 and others`, or nothing where no cell is known."""
    numbers = {place.cell.number for place in places if place.cell is not None and place.cell.part is part}
    more = " and others" if len(numbers) > 1 else ""
    return f"cell {min(numbers):,}{more}" if numbers else ""


def _keep_untracked(path: str, *, staged: bool) -> Step:
    name = path.rpartition("/")[2]
    is_env = name.startswith(".env") or name.endswith(".env")
    example = ", and commit a .env.example without values instead" if is_env else ""
    lines = (f"echo {name} >> .gitignore",)
    if staged:
        return Step(text=f"Keep it out of git{example}:", verbatim=(f"git rm --cached {path}", *lines))
    return Step(text=f"Make sure that git ignores it{example}:", verbatim=lines)


def _names(roles: Collection[Role]) -> list[str]:
    return [name for role, (name, _, _) in _VARIABLES.items() if role in roles]


def _in_github(names: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    text = "Put it into the secrets of the repository (gh secret set NAME), and refer to it"
    return text, tuple(f"{name}: ${{{{ secrets.{name} }}}}" for name in names)


def _in_gitlab(names: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    return f"Put it into Settings > CI/CD > Variables, masked and protected; jobs see ${' and $'.join(names)}", ()


def _in_other_ci(names: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    return f"Put it into the secrets of the CI system; jobs see {' and '.join(names)}", ()


def _in_compose(_: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    return "Put it into a .env file that git ignores, and name that in the service", ("env_file: .env",)


def _in_kubernetes(_: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    return (
        "Put it into a Secret that is made outside of git, and refer to it with secretKeyRef",
        ("kubectl create secret generic binance --from-env-file=.env",),
    )


def _in_terraform(names: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    return (
        "Declare a sensitive variable, and give its value as TF_VAR_… or from a secret manager",
        tuple(f'variable "{name.lower()}" {{ sensitive = true }}' for name in names),
    )


def _in_dockerfile(_: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    return "Give it when the container runs, as every layer of an image can be read", (
        "docker run --env-file .env IMAGE",
    )


def _service(folders: Sequence[str], name: str) -> _Describe | None:
    """What reads a file and has a place of its own for secrets, as a function that describes it."""
    if folders[-1:] == ["workflows"] and _WORKFLOWS.intersection(folders):
        return _in_github
    if name == ".gitlab-ci.yml" or (".gitlab" in folders and name.endswith(_YAML)):
        return _in_gitlab
    if name.startswith(_CI_FILES) or _CI_FOLDERS.intersection(folders):
        return _in_other_ci
    if name.startswith(("compose", "docker-compose")) and name.endswith(_YAML):
        return _in_compose
    if name.endswith(_YAML) and (_CLUSTER_FOLDERS.intersection(folders) or name.startswith(_CLUSTER_FILES)):
        return _in_kubernetes
    if name.endswith((".tf", ".tfvars", ".tf.json", ".tfvars.json")):
        return _in_terraform
    return _in_dockerfile if {"dockerfile", "containerfile"}.intersection(name.split(".")) else None


def _is_untracked(name: str) -> bool:
    """Whether a file of this name should not be in a repository, unless it is an example."""
    is_private = name in _PRIVATE_NAMES or name.startswith(".env.") or name.endswith(_PRIVATE_ENDINGS)
    return is_private and not _TEMPLATES.intersection(name.split("."))


def _shown(path: str) -> str:
    """The path where a shell can take it as it is and it holds no value, else a placeholder."""
    return path if _PLAIN.fullmatch(path) and not _RUN.search(path) else "FILE"
