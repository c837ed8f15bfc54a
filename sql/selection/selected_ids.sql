-- One row per id of a selected article, with the ids that moves join with it.
with recursive ids as (
    select article_id from selected
    union
    select other_id
    from ids
    join (select article_id, moved_from as other_id from observations
          where moved_from is not null
          union all
          select moved_from, article_id from observations
          where moved_from is not null) using (article_id))
select article_id from ids
