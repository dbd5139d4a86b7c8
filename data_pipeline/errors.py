"""The one error of this room."""


class DataError(ValueError):
    """A data fault that ends the job; its text says what, where and what to do next."""
