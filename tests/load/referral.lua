-- A referral with its own reference, as the service accepts it.
local template = [[{"source_system":"load","source_reference":"%s","committee":"GLA","local_authority":"S12000049",]] ..
  [["notified_on":"2026-03-02","aware_on":"2026-02-26","incident_kind":"accumulation",]] ..
  [["criteria_claimed":["abuse_or_neglect"],"basis":"Concerns grew over a year.","immediate_concerns":"none",]] ..
  [["agencies_involved":["health_board","police"],"discussed_with_partners":true,]] ..
  [["children":[{"child_id":"SW-1","outcome":"significant_harm","age_band":"5_10","age_years":7,]] ..
  [["sex":"female","harm_types":["neglect"]}]}]]

return function(reference) return template:format(reference) end
