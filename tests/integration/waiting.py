"""How tests wait: for events, with one watchdog. No test's verdict depends on a duration."""
import time

WATCHDOG_S = 60  # longer than any machine hangs; a test that reaches it has failed
BETWEEN_S = 0.02


def wait_until(condition, what):
    """Repeats the condition until it returns something true, and returns that. Fails with `what` at the watchdog."""
    end = time.monotonic() + WATCHDOG_S
    while not (found := condition()):
        if time.monotonic() > end:  # clock: the watchdog
            raise AssertionError(f"not within {WATCHDOG_S} s: {what() if callable(what) else what}")
        time.sleep(BETWEEN_S)  # clock: between two checks of the condition
    return found
