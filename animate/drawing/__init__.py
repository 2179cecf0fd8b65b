"""Themes, layout, scenes, views and stills: pictures of runs at a moment. Nothing here trains."""
