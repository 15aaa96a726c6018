-- Which actions make sense now. Argo CD's RBAC decides who may run them: confirm, approve and resume can spend.
local actions = {}
actions["look"] = { ["iconClass"] = "fa fa-fw fa-eye", ["displayName"] = "Look now" }

local status = obj.status or {}
local reasons = {}
for _, condition in ipairs(status.conditions or {}) do
  reasons[condition.type] = condition.reason
end

local asks = {
  NeedsReview = true,
  VendorRejected = true,
  FirstSight = true,
  LicenseKeyRejected = true,
  AlreadyPresent = true,
}
actions["confirm"] = {
  ["iconClass"] = "fa fa-fw fa-check",
  ["displayName"] = "Confirm",
  ["disabled"] = asks[reasons["Ready"]] ~= true and status.mayBill == nil,
  ["params"] = { { ["name"] = "id" } },
}

local awaited = false
if status.plan ~= nil and status.plan.id ~= nil then
  for _, block in ipairs(status.plan.blockedBy or {}) do
    awaited = awaited or block == "Approval"
  end
end
actions["approve"] = {
  ["iconClass"] = "fa fa-fw fa-thumbs-up",
  ["displayName"] = "Approve the plan",
  ["disabled"] = not awaited or reasons["ChangePending"] == "ChangeDenied",
}

local suspended = obj.spec.suspend == true
actions["suspend"] = { ["iconClass"] = "fa fa-fw fa-pause", ["displayName"] = "Suspend", ["disabled"] = suspended }
actions["resume"] = { ["iconClass"] = "fa fa-fw fa-play", ["displayName"] = "Resume", ["disabled"] = not suspended }
return actions
