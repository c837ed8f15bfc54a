-- One row per warehouse: the sentence below the question of heat_half_life.
select format('{:,} of {:,} lives with a peak have a half-life that can be estimated',
              count(*) filter (estimable), count(*))
    || coalesce(format('; the median of these is {:,.0f} hours.', median(half_life_hours)), '.')
from heat_half_life
