--- Which buffers Sirdab is for.
local config = require("sirdab.config")

local M = {}

--- Whether the user was told that a file is too large.
local told_large = false

--- Whether a buffer is small enough to be kept in step with a server; says once when one is not.
---@param bufnr integer
---@return boolean
local function small_enough(bufnr)
  local limit = config.current.max_file_bytes
  local bytes = vim.api.nvim_buf_get_offset(bufnr, vim.api.nvim_buf_line_count(bufnr))
  if bytes <= limit then
    return true
  end
  if not told_large then
    told_large = true
    local name = vim.fs.basename(vim.api.nvim_buf_get_name(bufnr))
    local message = ("sirdab: %s is larger than %d bytes and is left alone; "):format(name, limit)
      .. "the option `max_file_bytes` is the limit."
    vim.schedule(function()
      vim.notify(message, vim.log.levels.INFO)
    end)
  end
  return false
end

--- Whether a buffer is a file of a kind that the options name.
---@param bufnr integer
---@return boolean
function M.is_source(bufnr)
  local options = config.current
  local filetype = vim.bo[bufnr].filetype
  return vim.bo[bufnr].buftype == ""
    and vim.api.nvim_buf_get_name(bufnr) ~= ""
    and filetype ~= ""
    and not vim.tbl_contains(options.exclude_filetypes, filetype)
    and (
      not options.filetypes or vim.tbl_contains(options.filetypes --[[@as string[] ]], filetype)
    )
end

--- Whether a server should be attached to a buffer.
---@param bufnr integer
---@return boolean
function M.wanted(bufnr)
  return M.is_source(bufnr) and vim.api.nvim_buf_is_loaded(bufnr) and small_enough(bufnr)
end

return M
