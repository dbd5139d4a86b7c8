"""The two ways a command ends without doing what was asked, and their exit codes."""

DONE = 0
REFUSED_OR_FAILED = 1
WRONG_INPUT = 2
INTERRUPTED = 130
TERMINATED = 143


class Refused(Exception):
    """The input is fine, but the state of the stores or of the study forbids it: exit code 1."""


class WrongInput(Exception):
    """An option, a file or its content is not what the command takes: exit code 2."""
