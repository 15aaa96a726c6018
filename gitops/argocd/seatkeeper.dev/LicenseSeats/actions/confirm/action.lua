-- A person's yes to the question whose id the message of Ready names. Argo CD gives the id as a parameter. Without one, as where an
-- Argo CD has no parameters, it is the id of the open change, which NeedsReview, VendorRejected and LicenseKeyRejected ask about.
local id = nil
if actionParams ~= nil then
  id = actionParams["id"]
end
local about_intent = { NeedsReview = true, VendorRejected = true, LicenseKeyRejected = true }
if (id == nil or id == "") and obj.status ~= nil and obj.status.intent ~= nil then
  for _, condition in ipairs(obj.status.conditions or {}) do
    if condition.type == "Ready" and about_intent[condition.reason] then
      id = obj.status.intent.id
    end
  end
end
if id == nil or id == "" then
  error("give the id that the message of Ready names after seatkeeper.dev/confirm=", 0)
end
if obj.metadata.annotations == nil then
  obj.metadata.annotations = {}
end
obj.metadata.annotations["seatkeeper.dev/confirm"] = id
return obj
