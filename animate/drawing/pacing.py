"""The pace of films and of the page: slow first steps, then a steady pace, then a hold."""

START_SECONDS = 1.0  # before the first step
FIRST_STEP_SECONDS = 0.48  # each later step takes less, down to the steady pace
SLOW_START_DECAY = 9  # moments in which the extra time of a step falls to 1/e
STEADY_PACE = 25  # moments a second after the slow start
MOST_MOMENTS = 400  # that are all shown; a longer run shows only some
LONG_RUN_SECONDS = 13.6  # length of a film of a longer run, with its hold
