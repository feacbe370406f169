--- When ghost text may be asked for and shown.
local M = {}

--- Modes of visual block and of select block.
local block = { ["\22"] = true, ["\19"] = true }

--- Whether what is typed now is repeated on every line of a block when Insert mode ends. What is
--- inserted by anything but keys would be repeated in pieces.
local inserting_block = false

vim.api.nvim_create_autocmd("ModeChanged", {
  group = vim.api.nvim_create_augroup("sirdab.mode", { clear = true }),
  desc = "Sirdab: no ghost text while a block is inserted",
  callback = function()
    local before, now = vim.v.event.old_mode, vim.v.event.new_mode
    if block[before] and now:sub(1, 1) == "i" then
      inserting_block = true
    elseif now == "n" then
      inserting_block = false
    end
  end,
})

--- Buffers whose ghost text something else has asked to be hidden.
---@type table<integer, true>
M.hidden = {}

--- Whether ghost text may be asked for and shown in a buffer at this moment. Not while a macro is
--- recorded or played: what its keys do must not depend on what a model says.
---@param bufnr integer
---@return boolean
function M.now(bufnr)
  if
    vim.api.nvim_get_current_buf() ~= bufnr
    or vim.api.nvim_get_mode().mode:sub(1, 1) ~= "i"
    or M.hidden[bufnr]
    or inserting_block
    or vim.o.paste -- No mapping works then, so nothing could be accepted.
    or not vim.bo[bufnr].modifiable
    or vim.bo[bufnr].buftype ~= ""
  then
    return false
  end
  local fn = vim.fn
  return fn.pumvisible() == 0
    and fn.reg_recording() == ""
    and fn.reg_executing() == ""
    -- Beyond the end of the line, where 'virtualedit' lets it be, there is no place in the text.
    and fn.getcurpos()[4] == 0
    and fn.foldclosed(".") == -1
end

return M
