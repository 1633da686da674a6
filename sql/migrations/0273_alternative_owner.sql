-- Access of the organisation that carries out an alternative review.
alter table case_access
    drop constraint case_access_role_check,
    drop constraint case_access_check1,
    add constraint case_access_role_check check (role in ('chair', 'reviewer', 'team_member', 'alternative_owner',
        'joint_committee', 'proceedings_liaison')),
    -- The access of a person has a last day; that of a body lasts as long as the case is shared.
    add constraint case_access_check1 check (role in ('alternative_owner', 'joint_committee', 'proceedings_liaison')
        or ends_on is not null and client is not null);
