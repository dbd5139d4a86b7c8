"""A process that makes one network of several: `python -m search.serving.averaging OUT FILES`."""

import sys

from models.tensorflow_start import tensorflow_start


def main(out: str, *networks: str) -> None:
    """Save to `out` the network whose forecast is the mean of those in the files `networks`."""
    with tensorflow_start():
        import keras

        from models.build import mean_of
    loaded = [keras.saving.load_model(file, compile=False) for file in networks]
    mean_of(loaded).save(out)


if __name__ == "__main__":
    main(*sys.argv[1:])
