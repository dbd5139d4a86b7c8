"""What is learned and how it is judged; knows no tuner, no store and no data source.

`parameters`, `metrics` and `baselines` need no TensorFlow; `fused_lstm`, `build`, `fit` and
`device` import it and are therefore imported only by the processes that train.
"""
