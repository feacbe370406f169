--- What ghost text looks like: the extmark that shows what is left of a suggestion.
local M = {}

local api = vim.api

--- Replaces tabs by the blanks they are shown as; virtual text does not expand them.
---@param text string
---@param column integer Screen column at which the text starts.
---@param tabstop integer
---@return string
local function expand_tabs(text, column, tabstop)
  if not text:find("\t", 1, true) then
    return text
  end
  local out = {}
  for piece, tab in text:gmatch("([^\t]*)(\t?)") do
    out[#out + 1] = piece
    column = column + api.nvim_strwidth(piece)
    if tab ~= "" then
      local blanks = tabstop - column % tabstop
      out[#out + 1] = (" "):rep(blanks)
      column = column + blanks
    end
  end
  return table.concat(out)
end

--- Returns the text of the line that follows what a suggestion replaces.
---@param item sirdab.Item
---@param rest sirdab.Rest
---@return string
local function following(item, rest)
  return item.replaced:sub(rest.delete + 1) .. item.tail
end

--- Whether a text of so many cells fits between the cursor and the right edge of its window.
---@param cells integer
---@return boolean
local function fits(cells)
  return vim.fn.wincol() - 1 + cells <= api.nvim_win_get_width(0)
end

--- Returns the options of the extmark, which belongs at the cursor.
---
--- The text is laid over the screen and not put into the line, because what is in the line counts
--- as columns: the arrow keys would go elsewhere and CTRL-E would copy another character. What
--- follows the cursor is shown again behind it. Only a line that is too long for the window is
--- put in, because what is laid over is cut off at the edge.
---@param bufnr integer The buffer of the current window.
---@param item sirdab.Item
---@param rest sirdab.Rest
---@param highlight string
---@param note? [string, string] Text and highlight of what stands behind it, such as "(2/3)".
---@return vim.api.keyset.set_extmark
function M.options(bufnr, item, rest, highlight, note)
  local tabstop = vim.bo[bufnr].tabstop
  local lines = vim.split(rest.text, "\n", { plain = true })
  local before = api.nvim_buf_get_text(bufnr, rest.row, 0, rest.row, rest.col, {})[1]
  local column = vim.fn.strdisplaywidth(before)
  local first = { { expand_tabs(lines[1], column, tabstop), highlight } }
  local virt_lines = {}
  for i = 2, #lines do
    virt_lines[#virt_lines + 1] = { { expand_tabs(lines[i], 0, tabstop), highlight } }
  end

  local moved, covered = following(item, rest), item.replaced .. item.tail
  local last = virt_lines[#virt_lines] or first
  local width = api.nvim_strwidth(first[1][1])
  if moved ~= "" then
    local start = #virt_lines > 0 and 0 or column
    local text = expand_tabs(moved, start + api.nvim_strwidth(last[1][1]), tabstop)
    last[2] = { text, "Normal" }
    width = width + (last == first and api.nvim_strwidth(text) or 0)
  end
  local over = fits(width) or rest.delete > 0 or (moved ~= "" and last ~= first)
  if not over then
    first[2] = nil
  else
    -- What is covered may be longer than what covers it.
    local gap = vim.fn.strdisplaywidth(covered, column) - width
    if gap > 0 then
      first[#first + 1] = { (" "):rep(gap), "Normal" }
    end
  end
  if note then
    last[#last + 1] = note
  end
  return {
    virt_text = first,
    virt_text_pos = over and "overlay" or "inline",
    virt_lines = #virt_lines > 0 and virt_lines or nil,
    hl_mode = (over and covered ~= "") and "replace" or "combine",
  }
end

return M
