-- One row per hour and weekday.
select hour, ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'][weekday] as weekday, articles, share
from publishing_rhythm order by publishing_rhythm.weekday, hour
