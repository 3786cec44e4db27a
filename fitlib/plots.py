"""Pictures: `(arrays, ax) -> ax`. Nothing here runs a fit."""

LABELS = {
    "gradient_descent": "gradient descent",
    "momentum": "momentum",
    "nesterov": "Nesterov",
    "adagrad": "AdaGrad",
    "rmsprop": "RMSProp",
    "adadelta": "AdaDelta",
    "adam": "Adam",
    "adamw": "AdamW",
    "amsgrad": "AMSGrad",
}

COLORS = {
    "gradient_descent": "#0072b2",
    "momentum": "#d55e00",
    "nesterov": "#b5478c",
    "adagrad": "#a6761d",
    "rmsprop": "#7f5fc4",
    "adadelta": "#5a7d2a",
    "adam": "#009e73",
    "adamw": "#c0392b",
    "amsgrad": "#4d6680",
}
