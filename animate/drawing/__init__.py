"""How runs look at a moment: themes, layout, the scene, its views, stills. Nothing here trains."""
