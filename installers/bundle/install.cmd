@echo off
rem For a double click in the Explorer: runs install.ps1, whatever the execution policy of this machine is.
setlocal
if not exist "%~dp0SHA256SUMS" echo error: Extract the whole archive first, then start install.cmd in the extracted folder.
if not exist "%~dp0SHA256SUMS" pause
if not exist "%~dp0SHA256SUMS" exit /b 1
rem A PowerShell 7 that started this has set it to modules that Windows PowerShell cannot load.
set "PSModulePath="
"%SystemRoot%\System32\WindowsPowerShell\v1.0\powershell.exe" -NoProfile -ExecutionPolicy Bypass -File "%~dp0install.ps1" %*
set "code=%ERRORLEVEL%"
pause
exit /b %code%
