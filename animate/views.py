"""Public names for custom views: subclass `View`, which draws in a `Panel`."""

from animate.drawing.views import VIEWS as VIEWS
from animate.drawing.views import Panel as Panel
from animate.drawing.views import View as View
