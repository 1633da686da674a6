"""Builders of valid documents: a test names only the members that it is about."""
import copy
import datetime
import itertools
import uuid

import day

RUN = uuid.uuid4().hex[:8]
NUMBERS = itertools.count(1)


def today():
    return day.today().isoformat()


def days_ago(days):
    return (day.today() - datetime.timedelta(days=days)).isoformat()


def days_ahead(days):
    return days_ago(-days)


def replaced(document, path, value):
    """Returns a copy of the document with the value at the path, a sequence of members and indexes. All but the last of
    them must exist."""
    made = copy.deepcopy(document)
    inner = made
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return made


def new_number(prefix):
    """Returns a number that is unique in this run."""
    return f"{prefix}-{RUN}-{next(NUMBERS)}"


def new_child(**overrides):
    return {"child_id": new_number("child"), "outcome": "significant_harm", "age_band": "5_10",
            "sex": "female", **overrides}


def dead_child(**overrides):
    return new_child(outcome="died", **overrides)


def new_referral(**overrides):
    return {"source_system": "casework", "source_reference": new_number("ref"),
            "committee": "GLA", "local_authority": "S12000049",
            "notified_on": days_ago(5), "aware_on": days_ago(10),
            "incident_kind": "single_event", "children": [new_child()],
            "criteria_claimed": ["abuse_or_neglect"],
            "basis": "Several agencies knew of the neglect and none saw the whole of it.",
            "immediate_concerns": "none", **overrides}


def full_child(**overrides):
    """Returns a child with every possible member."""
    return dead_child(**{"family_id": new_number("family"), "age_years": 7, "ethnic_group": "asian",
                         "disability": "yes", "legal_status": "looked_after_foster",
                         "register_status": "current", "siblings_count_band": "1_2",
                         "known_to": ["police", "health_board"], "cause_of_death_group": "awaiting",
                         "harm_types": ["neglect", "physical_abuse"], "carm": True, **overrides})


def full_referral(**overrides):
    """Returns a referral with every possible member."""
    return new_referral(
        source_role="practitioner", incident_on=days_ago(12), children=[full_child()],
        criteria_claimed=["abuse_or_neglect", "care_experienced"],
        immediate_concerns="passed_on", passed_to_organisation="POL-G",
        agencies_involved=["police", "health_board"],
        parallel_processes=["police_investigation", "child_death_review"],
        other_committees=["EDH"], discussed_with_partners=True, guidance_edition="child_2021",
        **overrides)


def new_case(**overrides):
    return {"local_authority": "S12000049", "opened_on": days_ago(30),
            "criteria": ["abuse_or_neglect"], "children": [new_child()], **overrides}


def new_request(**overrides):
    """Returns a question from the committee to an agency, asked today."""
    return {"organisation": "LA-S12000049", "asked_on": today(),
            "question": "Please give a short account of your work with the family.", **overrides}


def new_answer(**overrides):
    return {"status": "answered", "answered_on": today(), "practice_areas": ["information_sharing"],
            "other_reviews": False, "criminal_proceedings": False,
            "summary": "Two teams worked with the family and did not know of each other.",
            **overrides}


def new_recommendation(**overrides):
    return {"made_on": today(), "made_by": "sub_group", "recommended": "proceed",
            "criteria_met": ["abuse_or_neglect"], "current_circumstances_recorded": True,
            "other_processes_considered": True,
            "expected_learning": "How each service could have seen the whole.", **overrides}


def new_sending(**overrides):
    return {"sent_on": today(), "method": "secure_mail", **overrides}


def new_observations(**overrides):
    return {"received_on": today(), "observations": "The reasons are clear.", **overrides}


def new_decision(**overrides):
    return {"outcome": "proceed", "decided_on": today(), "decided_by": "committee",
            "criteria_met": ["abuse_or_neglect"], "unanimous": True,
            "family_wait_reason": "The family asked for this conversation after the funeral.", **overrides}


DECISIONS = {
    "proceed": new_decision(),
    "do_not_proceed": new_decision(outcome="do_not_proceed", criteria_met=[],
                                   reasons=["criteria_not_met"]),
    "alternative_review": new_decision(outcome="alternative_review", criteria_met=[],
                                       reasons=["better_met_by_other_review"],
                                       alternative_kind="case_file_audit",
                                       alternative_owner="HB-S08000031"),
    "more_information": new_decision(outcome="more_information", criteria_met=[],
                                     reasons=["insufficient_information"]),
}


def new_mandate(**overrides):
    return {"agreed_on": today(), "questions": ["What did the agencies know, and when?"],
            "period_from": days_ago(700), "period_to": days_ago(40),
            "agencies": ["LA-S12000049", "HB-S08000031"], "target_completion_on": days_ahead(180),
            "legal_advice": True, "media_plan": True, "staff_support_plan": True, **overrides}


def new_team_member(**overrides):
    return {"role": "member", "organisation": "HB-S08000031", "independence": "internal",
            "appointed_on": today(), **overrides}


def new_family_liaison(**overrides):
    return {"lead_role": "chair", "strategy_agreed_on": today(), "leaflet_given_on": today(),
            "coordinated_with_police": True, "note": None, **overrides}


def new_family_engagement(**overrides):
    return {"relation": "parent", "invited_on": today(), **overrides}


def family_answer(**overrides):
    return {"response": "took_part", "responded_on": today(), "method": "meeting",
            "views_taken_on": today(), **overrides}


def new_practitioner_engagement(**overrides):
    return {"kind": "learning_event", "held_on": today(), "participants_count": 12,
            "organisations": ["LA-S12000049", "HB-S08000031"], "support_offered": True, **overrides}


def not_held(**overrides):
    return {"kind": "not_held", "reason": "All who were involved are witnesses.", **overrides}


def new_finding(**overrides):
    return {"kind": "learning_point", "statement": "Nobody saw the whole history.",
            "practice_area": "record_keeping", "themes": ["information_sharing"],
            "factors": ["neglect"], **overrides}


def new_strategy(**overrides):
    return {"case_for_change": "Risk was judged without the whole history.",
            "evidence": "The pilot found missed events in half of the files.",
            "responsible_organisation": "LA-S12000049", "review_on": days_ahead(200), **overrides}


def new_report(**overrides):
    """Returns a report that is ready for the chief officers."""
    return {"drafted_on": today(), "accuracy_checked_on": today(), "committee_agreed_on": today(),
            "sections": ["core_data", "introduction", "review_process", "facts", "analysis",
                         "learning_points"], **overrides}


def new_ratification(**overrides):
    return {"outcome": "ratified", "decided_on": today(), **overrides}


def changes_requested(**overrides):
    return new_ratification(outcome="changes_requested", reason="State the next steps.",
                            **overrides)


def new_plan_consideration(**overrides):
    return {"considered_on": today(), "resource_issues_raised": False, **overrides}


def new_publication(**overrides):
    return {"form": "learning_summary", "decided_on": today(), **overrides}


def not_published(**overrides):
    return new_publication(form="not_published", reason="The family would be recognised.",
                           **overrides)


def ready_publication(**overrides):
    """Returns a publication that needs at most the check of anonymity."""
    return new_publication(reporting_restrictions_checked=True, family_told_on=today(),
                           practitioners_told_on=today(), published_on=today(),
                           url="https://cpc.example.org/learning/7", **overrides)


def new_dissemination(**overrides):
    return {"audience": "practitioners", "level": "local", "form": "briefing",
            "disseminated_on": today(), **overrides}


def new_evaluation(**overrides):
    return {"evaluated_on": today(), "outcome": "achieved",
            "summary": "Chronologies are joint in most files.", **overrides}


def new_discontinuation(**overrides):
    return {"committee_agreed_on": today(), "chief_officers_agreed_on": today(),
            "reason": "An inquiry answers every question.", **overrides}


def new_action(**overrides):
    return {"title": "Agree how chronologies are kept across agencies",
            "owner_organisation": "LA-S12000049", "due_on": days_ahead(90),
            "success_measure": "Audits find one chronology in nine of ten files.",
            "themes": ["chronology_and_record_keeping"], "status": "agreed",
            "owner_accepted_on": today(), **overrides}


def new_update(**overrides):
    return {"reported_on": today(), "progress": 40, "note": "The draft was agreed.", **overrides}


def completion(**overrides):
    return {"completed_on": today(), "evidence": "The audit of June shows it.", **overrides}


def new_access(**overrides):
    return {"organisation": "INDEPENDENT", "client_id": new_number("reviewer")[:40],
            "role": "reviewer", "starts_on": today(), "ends_on": days_ahead(180), **overrides}


def new_transfer(**overrides):
    return {"to_committee": "EDH", "reason": "child_moved", "proposed_on": today(), **overrides}


def verification(**overrides):
    return {"verified_on": today(), "outcome": "verified", **overrides}


def new_impact_review(**overrides):
    return {"reviewed_on": today(), "outcome": "achieved",
            "evidence": "Nine of ten files had one chronology.", **overrides}


def new_extension(**overrides):
    return {"due_on": days_ahead(150), "reason": "The new system comes later.", **overrides}


def new_document(**overrides):
    return {"kind": "anonymised_report", **overrides}


def new_note(**overrides):
    return {"visibility": "case", "text": "The health board sends its chronology by Friday.", **overrides}


def new_task(**overrides):
    return {"title": "Book the room for the learning event", "owner_role": "administrator",
            "due_on": days_ahead(5), **overrides}


def new_timescale(**overrides):
    return {"stage": "information_gathering", "amount": 21, "unit": "calendar_days",
            "valid_from": today(), **overrides}


def new_proceeding(**overrides):
    return {"kind": "criminal_prosecution", "started_on": days_ago(20), "position": "should_wait",
            "agreed_with": ["COPFS"], "restrictions": ["no_witness_interviews"],
            "permitted": ["records_review"], "review_on": days_ahead(60), **overrides}


def new_hold(**overrides):
    return {"stages": ["review"], "tracks": [], "held_from": today(),
            "reason": "interests_of_justice", "agreed_with": ["COPFS"],
            "review_on": days_ahead(60), **overrides}


def new_webhook(**overrides):
    return {"url": "https://localhost:9/events", **overrides}
