--- Code completion from a language model on this machine.
local M = {}

--- Whether the server was set up, and is not only to be.
local enabled = false

--- Sets the server up as soon as Neovim has a file for it and is idle. What that loads is the
--- whole of `vim.lsp`, and start-up should not wait for it.
local function enable_when_needed()
  local buffers = require("sirdab.buffers")
  local group = vim.api.nvim_create_augroup("sirdab.start", { clear = true })
  local function enable()
    if vim.v.vim_did_enter == 0 then
      vim.api.nvim_create_autocmd("VimEnter", { group = group, once = true, callback = enable })
    elseif not enabled then
      vim.schedule(function()
        if not enabled then
          enabled = true
          vim.api.nvim_clear_autocmds({ group = group })
          require("sirdab.lsp").enable()
        end
      end)
    end
  end
  for _, bufnr in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_is_loaded(bufnr) and buffers.is_source(bufnr) then
      return enable()
    end
  end
  vim.api.nvim_create_autocmd("FileType", {
    group = group,
    callback = function(event)
      if buffers.is_source(event.buf) then
        enable()
        return true
      end
    end,
  })
end

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
  if enabled then
    require("sirdab.lsp").enable()
  else
    enable_when_needed()
  end
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

--- Hides suggestions in a buffer, or shows them again: for a menu that would cover them.
---@param hidden? boolean true when nil.
---@param bufnr? integer The current buffer when nil or 0.
function M.hide(hidden, bufnr)
  require("sirdab.ghost").hide(hidden ~= false, bufnr)
end

--- Whether a suggestion is on the screen.
---@return boolean
function M.visible()
  return require("sirdab.ghost").visible()
end

return M
