"""The public names for a view of one's own."""

from animate.drawing.views import VIEWS as VIEWS
from animate.drawing.views import Panel as Panel
from animate.drawing.views import View as View
