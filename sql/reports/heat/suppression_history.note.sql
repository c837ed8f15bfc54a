-- One row per warehouse: the sentence below the question of suppression_history.
select format('Spells: {:,}, in {:,} of {:,} lives that were ever scored or suppressed; still going on: {:,}.',
              count(*), count(distinct (article_id, life)), any_value(of_lives),
              count(*) filter (suppressed_to is null))
from suppression_history
