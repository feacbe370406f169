--- Columns of the protocol, in code units, and columns of Neovim, in bytes.
---
--- Neovim's own conversion is not used below 0.11: that of 0.10 compares a byte column with a
--- count of code units and answers with the end of the line where the column is the larger.
local M = {}

--- Converts a column of the protocol to a byte column.
---@param line string
---@param units integer
---@param encoding string "utf-8", "utf-16" or "utf-32".
---@return integer
function M.to_byte(line, units, encoding)
  if units <= 0 then
    return 0
  end
  if encoding == "utf-8" then
    return math.min(units, #line)
  end
  if vim.fn.has("nvim-0.11") == 1 then
    return vim.str_byteindex(line, encoding, units, false)
  end
  local ok, col = pcall(vim.str_byteindex, line, units, encoding == "utf-16")
  return ok and col or #line
end

--- Converts a byte column to a column of the protocol.
---@param line string
---@param col integer
---@param encoding string "utf-8", "utf-16" or "utf-32".
---@return integer
function M.to_units(line, col, encoding)
  col = math.min(col, #line)
  if encoding == "utf-8" then
    return col
  end
  if vim.fn.has("nvim-0.11") == 1 then
    return vim.str_utfindex(line, encoding, col, false)
  end
  local utf32, utf16 = vim.str_utfindex(line, col)
  return encoding == "utf-16" and utf16 or utf32
end

return M
