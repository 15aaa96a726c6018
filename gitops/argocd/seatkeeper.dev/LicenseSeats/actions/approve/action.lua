-- Creates a SeatApproval for the plan that is shown, which lets that plan pass once.
local plan = (obj.status or {}).plan
if plan == nil or plan.id == nil then
  error("there is no plan to approve", 0)
end

local approval = {}
approval.apiVersion = obj.apiVersion
approval.kind = "SeatApproval"
approval.metadata = {}
approval.metadata.name = obj.metadata.name .. "-" .. plan.id
approval.metadata.namespace = obj.metadata.namespace
-- It is shown below the object, and goes with it.
approval.metadata.ownerReferences = {
  { apiVersion = obj.apiVersion, kind = obj.kind, name = obj.metadata.name, uid = obj.metadata.uid },
}
approval.spec = {}
approval.spec.licenseSeatsRef = { name = obj.metadata.name }
approval.spec.decision = "Approved"
approval.spec.planId = plan.id

return { { operation = "create", resource = approval } }
