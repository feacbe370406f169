--- Code completion from a language model on this machine.
local M = {}

--- Starts Sirdab for the source files that are open and those to come. Works without options.
---@param opts? table See |sirdab-options|.
function M.setup(opts)
  if vim.fn.has("nvim-0.10") == 0 then
    vim.notify("sirdab: Neovim 0.10 or newer is needed.", vim.log.levels.ERROR)
    return
  end
  -- Neovim has read it, unless the plugin was put on the runtime path after start-up.
  vim.cmd.runtime("plugin/sirdab.lua")
  require("sirdab.config").apply(opts)
  require("sirdab.lsp").enable()
end

--- Returns a short text for a statusline, for example "sirdab: ready (qwen2.5-coder-0.5b)".
---@return string
function M.status()
  return require("sirdab.status").line()
end

--- Accepts the suggestion shown, or a part of it.
---@param part? "full"|"line"|"word" "full" when nil.
---@return boolean accepted False when nothing is shown.
function M.accept(part)
  return require("sirdab.ghost").accept(part)
end

--- Shows the next suggestion, or asks for some when none is shown.
function M.next()
  require("sirdab.ghost").next()
end

--- Hides the suggestion until the text changes.
---@return boolean dismissed False when nothing was shown.
function M.dismiss()
  return require("sirdab.ghost").dismiss()
end

--- Whether a suggestion is on the screen.
---@return boolean
function M.visible()
  return require("sirdab.ghost").visible()
end

return M
