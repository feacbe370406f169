--- `:Sirdab review`, `dismiss` and `restore`: findings, which Neovim shows as diagnostics.
local common = require("sirdab.command.common")

local M = {}

M.scopes = { "stop", "workspace" }

--- The review under way: its client and the id of its request.
---@type { client: vim.lsp.Client, id: integer }?
local running

---@param result any
local function tell(result)
  running = nil
  if type(result) ~= "table" or type(result.findings) ~= "number" then
    return
  end
  local count = result.findings == 0 and "no findings"
    or result.findings == 1 and "1 finding"
    or ("%d findings"):format(result.findings)
  local where = type(result.files) == "number" and (" in %d files"):format(result.files) or ""
  common.say(("the review has %s%s."):format(count, where))
end

---@param arguments string[]
---@param range? { [1]: integer, [2]: integer } First and last line, 1-based.
function M.review(arguments, range)
  local scope = arguments[1]
  if scope and not vim.tbl_contains(M.scopes, scope) then
    return common.warn((":Sirdab review takes %s or nothing."):format(table.concat(M.scopes, ", ")))
  elseif scope == "stop" then
    if running then
      require("sirdab.ghost.rpc").call(running.client, "cancel_request", running.id)
      running = nil
    else
      common.say("no review is under way.")
    end
    return
  end
  local client = common.client_or_say()
  if not client then
    return
  end
  local id
  if scope == "workspace" then
    id = common.execute(client, "sirdab.reviewWorkspace", {}, "review code", tell)
  else
    local bufnr = vim.api.nvim_get_current_buf()
    local argument = { uri = vim.uri_from_bufnr(bufnr) }
    if range then
      argument.range = common.lines_range(client, bufnr, range[1], range[2])
    end
    id = common.execute(client, "sirdab.reviewDocument", { argument }, "review code", tell)
  end
  running = id and { client = client, id = id } or nil
end

--- Returns our finding of a diagnostic: its message and the name by which it is dismissed.
---@param diagnostic vim.Diagnostic
---@return { message: string, fingerprint: any, uri: string }?
local function finding_of(diagnostic)
  local original = vim.tbl_get(diagnostic, "user_data", "lsp") or {}
  local data = type(original.data) == "table" and original.data or {}
  if diagnostic.source ~= "sirdab" or data.fingerprint == nil then
    return nil
  end
  return {
    message = diagnostic.message,
    fingerprint = data.fingerprint,
    -- The same code may stand in another file, and "in this file" must mean this one.
    uri = vim.uri_from_bufnr(diagnostic.bufnr or 0),
  }
end

--- Returns our findings at the cursor, or else those of its line.
---@return { message: string, fingerprint: any, uri: string }[]
local function findings_here()
  local cursor = vim.api.nvim_win_get_cursor(0)
  local row, col = cursor[1] - 1, cursor[2]
  local here, of_line = {}, {}
  for _, diagnostic in ipairs(vim.diagnostic.get(0)) do
    local finding = finding_of(diagnostic)
    local last = diagnostic.end_lnum or diagnostic.lnum
    if finding and diagnostic.lnum <= row and row <= last then
      of_line[#of_line + 1] = finding
      local starts = diagnostic.lnum < row or diagnostic.col <= col
      local ends = last > row or (diagnostic.end_col or diagnostic.col + 1) > col
      if starts and ends then
        here[#here + 1] = finding
      end
    end
  end
  return #here > 0 and here or of_line
end

--- Ways of dismissing a finding, as the server names them, and what a person reads.
local ways = { "finding", "rule-here", "rule" }
local titles = {
  finding = "this finding",
  ["rule-here"] = "everything of its kind in this file",
  rule = "everything of its kind",
}
M.ways = ways

---@param client vim.lsp.Client
---@param finding { message: string, fingerprint: any, uri: string }
---@param way string
local function dismiss(client, finding, way)
  local arguments = { finding.fingerprint, way, finding.uri }
  common.execute(client, "sirdab.dismiss", arguments, "dismiss findings", function()
    common.say(("dismissed %s."):format(titles[way]))
  end)
end

--- Shows again what has been dismissed: in this file, or with "all" in every project.
---@param arguments string[]
function M.restore(arguments)
  local everywhere = arguments[1] == "all"
  if arguments[1] and not everywhere then
    return common.warn(":Sirdab restore takes all or nothing.")
  end
  local client = common.client_or_say()
  if not client then
    return
  end
  local where = everywhere and "anywhere" or "in this file"
  local sent = everywhere and {} or { vim.uri_from_bufnr(0) }
  common.execute(client, "sirdab.restoreDismissed", sent, "restore findings", function(result)
    local count = type(result) == "table" and result.restored or 0
    if count == 0 then
      return common.say(("nothing was dismissed %s."):format(where))
    end
    local what = count == 1 and "1 dismissal" or ("%d dismissals"):format(count)
    common.say(("took back %s; what is still found is shown again."):format(what))
  end)
end

---@param arguments string[]
function M.dismiss(arguments)
  local way = arguments[1]
  if way and not titles[way] then
    return common.warn((":Sirdab dismiss takes %s or nothing."):format(table.concat(ways, ", ")))
  end
  local client = common.client_or_say()
  if not client then
    return
  elseif not common.offers(client, "sirdab.dismiss") then
    common.execute(client, "sirdab.dismiss", {}, "dismiss findings")
    return
  end
  local findings = findings_here()
  if #findings == 0 then
    return common.say("there is no finding of Sirdab under the cursor.")
  end
  ---@param finding { message: string, fingerprint: any, uri: string }
  local function with_finding(finding)
    if way then
      return dismiss(client, finding, way)
    end
    local options = {
      prompt = "Sirdab: dismiss",
      format_item = function(item)
        return titles[item]
      end,
    }
    vim.ui.select(ways, options, function(chosen)
      if chosen then
        dismiss(client, finding, chosen)
      end
    end)
  end
  if #findings == 1 then
    return with_finding(findings[1])
  end
  local options = {
    prompt = "Sirdab: finding",
    format_item = function(item)
      return vim.split(item.message, "\n", { plain = true })[1]
    end,
  }
  vim.ui.select(findings, options, function(finding)
    if finding then
      with_finding(finding)
    end
  end)
end

return M
