-- One row per warehouse: the sentence below the question of heat_movers.
select format('{:,} of {:,} articles that were seen, up to {} UTC, when the newest revision came.', count(*),
              any_value(of_articles), strftime(max(known_until), '%Y-%m-%d %H:%M'))
from heat_movers
