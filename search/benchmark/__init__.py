"""Compares this project with the loops that the libraries' own documentation shows.

The contenders are separate programs (`ours`, `stock`, `keras_tuner_loop`). They report the end of
each epoch on standard output. `turns` lets them run in turns and measures their times.
"""
