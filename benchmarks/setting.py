"""What every side of the comparison computes: rules on the Gabor loss from one start."""

from fitlib import optimizers

START = (-2.0, 12.0)
LOW, HIGH = 0.1, 20.0  # of the slider for alpha
ADAM = {"alpha": 0.1, "beta": 0.9, "gamma": 0.999, "eps": 1e-8}
STEPS = 1000  # of a descent with Adam
SIZES = [(4, 200), (8, 500)]  # rules and steps of a figure
NAMES = ["gradient_descent", "momentum", "nesterov", "adam", "adagrad", "rmsprop", "adadelta", "amsgrad"]
RULES = [getattr(optimizers, name) for name in NAMES]
