"""How tests wait: for events, under one watchdog. A test never decides by how long something took."""
import time

WATCHDOG_S = 60  # longer than any machine stands still; a test that reaches it has failed
BETWEEN_S = 0.02


def wait_until(condition, what):
    """Repeats the condition until it returns something true, and returns that. Fails with `what` at the watchdog."""
    end = time.monotonic() + WATCHDOG_S
    while not (found := condition()):
        if time.monotonic() > end:  # clock: the watchdog
            raise AssertionError(f"not within {WATCHDOG_S} s: {what() if callable(what) else what}")
        time.sleep(BETWEEN_S)  # clock: between two looks at the condition
    return found
