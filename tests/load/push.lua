-- Single pushes, each with its own natural key and Idempotency-Key.
local folder = debug.getinfo(1, "S").source:match("@(.*)/")
local referral = dofile(folder .. "/referral.lua")
local token, run = os.getenv("TOKEN"), os.getenv("RUN")
local count = 0

function request()
  count = count + 1
  local reference = run .. "-" .. count
  return wrk.format("POST", "/v1/referrals", {
    ["Authorization"] = "Bearer " .. token, ["Content-Type"] = "application/json",
    ["Idempotency-Key"] = reference }, referral(reference))
end
