-- The same verdict as kstatus gives, so that Argo CD, Flux and Helm agree. Windows, approvals, suspend and standby are Healthy:
-- a change that waits for a person or for its time is no failure, and Suspended would keep a sync from its next wave.
local hs = { status = "Progressing", message = "Seatkeeper has not handled this object yet" }

local status = obj.status
if status == nil or status.conditions == nil then
  return hs
end

if status.observedGeneration ~= obj.metadata.generation then
  hs.message = "Seatkeeper has not handled the last edit yet"
  return hs
end

local ready = nil
for _, condition in ipairs(status.conditions) do
  if condition.type == "Reconciling" and condition.status == "True" then
    hs.message = condition.message
    return hs
  end
  if condition.type == "Stalled" and condition.status == "True" then
    hs.status = "Degraded"
    hs.message = condition.message
    return hs
  end
  if condition.type == "Ready" then
    ready = condition
  end
end

if ready ~= nil then
  hs.message = ready.message
  if ready.status == "True" then
    hs.status = "Healthy"
  end
end
return hs
