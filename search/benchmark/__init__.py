"""This project against the loops that the libraries' own documentation shows, side by side.

The contenders are programs of their own (`ours`, `stock`, `keras_tuner_loop`) that say on standard
output when an epoch has ended; `turns` lets them run in turns and keeps the time of each.
"""
