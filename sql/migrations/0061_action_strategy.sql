-- The strategy that an action carries out is one of its case; a case that is erased takes both along.
alter table action add foreign key (strategy_id) references strategy on delete set null;
