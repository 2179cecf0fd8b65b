"""Default values that the library's functions share with the settings of a recipe."""

EPOCHS = 100
SEED = 11
POINTS = 100
NOISE = "uniform"
TRUE_WEIGHTS = (3.0, 2.0)  # slope, bias
START = (-1.0, 1.0)
LRS = (0.1, 0.7, 1.01)
VIEWS = ("fit", "loss")
SIZE = (1280, 720)
THEME = "light"
FPS = 25.0
HOLD = 2.0  # seconds
LOOP = 0  # for ever
QUALITY = "medium"
