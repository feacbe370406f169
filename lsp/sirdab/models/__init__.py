"""Knowledge of model families and of model files. Nothing here opens a socket."""
