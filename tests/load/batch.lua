-- Batches of SIZE referrals, all new.
local folder = debug.getinfo(1, "S").source:match("@(.*)/")
local referral = dofile(folder .. "/referral.lua")
local token, run, size = os.getenv("TOKEN"), os.getenv("RUN"), tonumber(os.getenv("SIZE"))
local count = 0

function request()
  local items = {}
  for i = 1, size do
    count = count + 1
    items[i] = referral(run .. "-" .. count)
  end
  return wrk.format("POST", "/v1/referrals/batch", {
    ["Authorization"] = "Bearer " .. token, ["Content-Type"] = "application/json" },
    "[" .. table.concat(items, ",") .. "]")
end
