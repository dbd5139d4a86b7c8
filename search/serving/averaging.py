"""One network of several, made in a process of its own."""

from pathlib import Path

from models.tensorflow_start import tensorflow_start


def save_mean(out: Path, *networks: Path) -> None:
    """Save to `out` the network whose forecast is the mean of those in the files `networks`."""
    with tensorflow_start():
        import keras

        from models.build import mean_of
    loaded = [keras.saving.load_model(file, compile=False) for file in networks]
    mean_of(loaded).save(out)
