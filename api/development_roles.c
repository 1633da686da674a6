/* Roles of the command `token`: an organisation of the reference data, a client, and its scopes. */
#include "api/development_roles.h"

static const char committee_scopes[] =
    "referrals.read referrals.write cases.read cases.write children.read information.read "
    "decisions.write reviews.write proceedings.read proceedings.write notices.read actions.read "
    "actions.write actions.verify changes.read webhooks.manage audit.read statistics.read";
static const char agency_scopes[] =
    "referrals.read referrals.write information.read information.write notices.read actions.read "
    "actions.write changes.read webhooks.manage";
static const char liaison_scopes[] =
    "proceedings.read proceedings.write information.read information.write notices.read "
    "actions.read actions.write changes.read";

const token_role development_roles[] = {
    {"committee", "CPC-GLA", "committee-system", committee_scopes},
    {"records-officer", "CPC-GLA", "records-office",
     "referrals.read cases.read retention.write holds.legal changes.read audit.read"},
    {"committee-member", "CPC-GLA", "member-portal",
     "referrals.read cases.read actions.read changes.read"},
    {"chief-officers", "COG-GLA", "chief-officers-system",
     "cases.read ratification.write notices.read actions.read changes.read statistics.read"},
    {"reviewer", "INDEPENDENT", "reviewer-1",
     "cases.read children.read reviews.write changes.read"},
    {"agency", "LA-S12000049", "council-casework", agency_scopes},
    {"health", "HB-S08000031", "health-board-system", agency_scopes},
    {"police", "POL-G", "police-system", agency_scopes},
    {"prosecution", "COPFS", "case-system", liaison_scopes},
    {"reporter", "SCRA", "reporter-system", liaison_scopes},
    {"inspectorate", "CI", "inspectorate-system",
     "decisions.read notices.read observations.write statistics.read statistics.unsuppressed"},
    {"national-hub", "HIS", "hub-system", "notices.read statistics.read"},
    {"auditor", "AUDITOR", "audit-system", "audit.read"},
    {"dashboard", "SG", "national-dashboard", "statistics.read"},
    {"other-committee", "CPC-EDH", "other-committee-system", committee_scopes},
    {NULL, NULL, NULL, NULL},
};
