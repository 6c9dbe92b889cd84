"""Check the configuration and the baseline that the hooks use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from binance_leaks.baseline.file import DEFAULT_NAME, Baseline
from binance_leaks.config import FILE_NAMES, Config, file_mentions_us, find_config, load_config
from binance_leaks.errors import ScannerError
from binance_leaks.model import Environment, RiskLevel
from binance_leaks.setup.doctor.check import Check, State


def load_project(top: Path) -> tuple[Config, list[Check]]:
    """Return the configuration that the hooks use, and what was found about it.

    It is that of the top of the work tree. One that cannot be read is a failure, and counts as empty here.
    """
    file = find_config(top)
    try:
        config = load_config(file) if file else Config()
    except ScannerError as error:
        return Config(), [_failure("configuration", error)]
    return config, [*_check_configuration(top, file), *_check_gate(config), *_check_baseline(top, config)]


def fails_on_a_pair(config: Config) -> bool:
    """Whether a pair of which nothing more is known fails, as the configuration has it."""
    return config.fail_on.fails(Environment.MAINNET, RiskLevel.HIGH)


def _failure(name: str, error: ScannerError) -> Check:
    return Check(name=name, state=State.FAILURE, found=str(error), remedy=error.hint or "Mend it: hooks stop there.")


def _check_configuration(top: Path, file: Path | None) -> Iterator[Check]:
    if file is None:
        yield Check(name="configuration", state=State.OK, found="none: the defaults count")
        return
    yield Check(name="configuration", state=State.OK, found=file.name)
    others = [top / name for name in FILE_NAMES if name != file.name]
    if any(other.is_file() and file_mentions_us(other) for other in others):
        yield Check(
            name="configuration",
            state=State.WARNING,
            found=f"{' and '.join(other.name for other in others)} has settings too, which are not used",
            remedy=f"Move them to {file.name}.",
        )
    nearer = find_config(Path())
    if nearer is not None and nearer != file.resolve():
        yield Check(
            name="configuration",
            state=State.WARNING,
            found=f"a scan of this folder uses {nearer}, and the hooks do not",
            remedy=f"Move what the hooks should know to {file.name} at the top.",
        )


def _check_gate(config: Config) -> Iterator[Check]:
    if not fails_on_a_pair(config):
        yield Check(
            name="fail-on",
            state=State.WARNING,
            found="a key pair whose permissions are not known is listed, and does not fail",
            remedy='Set fail-on = "high" or lower if it should.',
        )


def _check_baseline(top: Path, config: Config) -> Iterator[Check]:
    if config.baseline is None:
        if (top / DEFAULT_NAME).is_file():
            yield Check(
                name="baseline",
                state=State.WARNING,
                found=f"{DEFAULT_NAME} is there, and no setting names it: the hooks do not use it",
                remedy=f'If they should: baseline = "{DEFAULT_NAME}" in the configuration.',
            )
        return
    try:
        file = config.baseline_file or top / config.baseline
        count = sum(len(entries) for entries in Baseline.read(file).results.values())
    except ScannerError as error:
        yield _failure("baseline", error)
        return
    yield Check(name="baseline", state=State.OK, found=f"{config.baseline}, {count} entries")
