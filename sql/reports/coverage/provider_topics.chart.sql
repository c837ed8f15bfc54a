-- One row per outlet and topic, of the 15 largest outlets and the 10 largest topics.
select provider, topic, sum(articles)::bigint as articles, max(share_of_provider) as share_of_provider,
       max(location_quotient) as location_quotient
from provider_topics
where provider in (select provider from provider_topics where provider is not null
                   group by provider order by sum(articles) desc, provider limit 15)
  and topic in (select topic from coverage_by_topic order by articles desc, topic limit 10)
group by all order by all
