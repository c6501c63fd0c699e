"""What MiniStack 1.5.33 lacks and the platform needs, one function each, with the reason."""


def apply() -> None:
    """Applies every patch. Call before the app serves."""
