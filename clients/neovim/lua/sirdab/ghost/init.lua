--- Ghost text: which of the two ways of showing it a buffer uses.
local config = require("sirdab.config")

local M = {}

---@class sirdab.Display
---@field attach fun(client: vim.lsp.Client, bufnr: integer)
---@field detach fun(bufnr: integer)
---@field visible fun(bufnr: integer): boolean
---@field accept fun(bufnr: integer, part: "full"|"line"|"word"): boolean
---@field next fun(bufnr: integer)
---@field dismiss fun(bufnr: integer)
---@field refresh fun(bufnr: integer) Looks anew at what may be shown.

---@type table<integer, sirdab.Display>
local displays = {}

--- Returns the name of the display that the options and this Neovim ask for.
---@return "builtin"|"own"
function M.display_name()
  local wanted = config.current.ghost_text.display
  if wanted == "own" then
    return "own"
  end
  return require("sirdab.ghost.builtin").available() and "builtin" or "own"
end

--- Shows suggestions of a client in a buffer.
---@param client vim.lsp.Client
---@param bufnr integer
function M.attach(client, bufnr)
  if not config.current.ghost_text.enabled then
    return
  end
  if not client.server_capabilities.inlineCompletionProvider then
    return
  end
  M.detach(bufnr)
  vim.api.nvim_set_hl(0, "SirdabGhostText", {
    link = vim.fn.hlexists("ComplHint") == 1 and "ComplHint" or "NonText",
    default = true,
  })
  vim.api.nvim_set_hl(0, "SirdabGhostTextMore", { link = "MoreMsg", default = true })
  displays[bufnr] = require("sirdab.ghost." .. M.display_name())
  displays[bufnr].attach(client, bufnr)
end

---@param bufnr integer
function M.detach(bufnr)
  require("sirdab.ghost.allowed").hidden[bufnr] = nil
  local display = displays[bufnr]
  displays[bufnr] = nil
  if display then
    display.detach(bufnr)
  end
end

--- Whether a suggestion is on the screen.
---@param bufnr? integer The current buffer when nil.
---@return boolean
function M.visible(bufnr)
  bufnr = bufnr or vim.api.nvim_get_current_buf()
  return displays[bufnr] ~= nil and displays[bufnr].visible(bufnr)
end

--- Whether the text must not be changed now, as in the function of an `<expr>` mapping.
---@return boolean
local function is_locked()
  -- Putting nothing changes nothing, and is refused while there is a lock.
  return not pcall(vim.api.nvim_put, {}, "c", false, false)
end

--- Accepts the suggestion shown, or a part of it. From an `<expr>` mapping it is done right after.
---@param part? "full"|"line"|"word" "full" when nil.
---@return boolean accepted False when nothing is shown.
function M.accept(part)
  local bufnr = vim.api.nvim_get_current_buf()
  if not M.visible(bufnr) then
    return false
  end
  if is_locked() then
    vim.schedule(function()
      if M.visible(bufnr) then
        displays[bufnr].accept(bufnr, part or "full")
      end
    end)
    return true
  end
  return displays[bufnr].accept(bufnr, part or "full")
end

--- Shows the next suggestion, or asks for some when none is shown.
function M.next()
  local bufnr = vim.api.nvim_get_current_buf()
  if displays[bufnr] then
    displays[bufnr].next(bufnr)
  end
end

--- Hides suggestions in a buffer, or shows them again.
---@param hidden boolean
---@param bufnr? integer The current buffer when nil or 0.
function M.hide(hidden, bufnr)
  bufnr = bufnr and bufnr ~= 0 and bufnr or vim.api.nvim_get_current_buf()
  local set = require("sirdab.ghost.allowed").hidden
  local value = hidden or nil
  if set[bufnr] ~= value then
    set[bufnr] = value
    if displays[bufnr] then
      displays[bufnr].refresh(bufnr)
    end
  end
end

--- Hides the suggestion until the text changes.
---@return boolean dismissed False when nothing was shown.
function M.dismiss()
  local bufnr = vim.api.nvim_get_current_buf()
  if not M.visible(bufnr) then
    return false
  end
  displays[bufnr].dismiss(bufnr)
  return true
end

return M
