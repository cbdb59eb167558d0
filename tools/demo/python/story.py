"""What the demo prints, and the one way in which it fails."""

import time
from contextlib import contextmanager


class NotAsStated(Exception):
    """A step of the demo did not come out as the demo says it does."""


class Story:
    def __init__(self) -> None:
        self.started = time.monotonic()
        self.checks = 0

    def act(self, number: int, title: str) -> None:
        print(f"\n{number}  {title}   [{time.monotonic() - self.started:.0f} s]", flush=True)

    def say(self, line: str) -> None:
        print(f"   {line}", flush=True)

    def check(self, claim: str, holds: bool, figures: str = "") -> None:
        """Prints a claim with the figures that show it; ends the demo if they do not."""
        self.checks += 1
        print(f"   {'✓' if holds else '✗'} {claim}{': ' if figures else ''}{figures}", flush=True)
        if not holds:
            raise NotAsStated(claim)

    def about(self, claim: str, value: float, expected: float, tolerance: float) -> None:
        """Checks that a figure is as expected; other processors and library builds move the last digits."""
        self.check(claim, abs(value - expected) <= tolerance, f"{value:.4f} (expected {expected} ± {tolerance})")

    @contextmanager
    def refused(self, claim: str, refusal: type[Exception], *statuses: int):
        """Checks that what is done inside is refused, with one of the statuses."""
        try:
            yield
        except refusal as error:
            self.check(claim, error.status in statuses, f"{error.status}")
        else:
            self.check(claim, False, "it was accepted")


def now() -> str:
    """The time in UTC, to the millisecond: after every event that has been answered, before those that follow."""
    moment = time.time()
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment)) + f".{int(moment * 1000) % 1000:03d}Z"
