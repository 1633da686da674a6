"""The reasons for which a run ends early, each with its exit status."""


class Problem(Exception):
    status = 1


class SettingProblem(Problem):
    """A setting is wrong: one line with the setting, its value and the repair."""
    status = 78

    def __init__(self, setting, value, repair):
        super().__init__(f"{setting} = {value}: {repair}")


class Away(Problem):
    """The register, the issuer of tokens or the database does not answer. The next run continues."""
    status = 69
